import { type Lane, LANES, type SequenceModel, type StepModel } from '../detailsMessages.ts';
import { problemView } from './headerView.ts';
import { chevron, toneIcon } from './icons.ts';
import { type View, view } from './patch.ts';

/** The last authorization, step by step: who told whom, what, and what came back. */
export function sequenceView(sequence: SequenceModel): View {
  const title = view('h2', { id: 'sequence' }, sequence.title);
  const frame = { 'aria-labelledby': 'sequence', key: 'sequence' };
  const problem = sequence.problem && problemView(sequence.problem);
  if (sequence.empty !== undefined) {
    return view('section', frame, title, problem, view('p', { class: 'empty' }, sequence.empty));
  }
  return view(
    'section',
    frame,
    title,
    view('p', { class: 'state' }, toneIcon(sequence.tone), view('span', {}, sequence.outcome)),
    problem,
    view(
      'div',
      { class: 'lanes', 'aria-hidden': 'true' },
      view('div', {}, ...sequence.lanes.map(({ lane, name }) => view('span', { key: lane }, name))),
    ),
    view('ol', { class: 'steps', 'aria-label': sequence.stepsTitle }, ...sequence.steps.map(stepView)),
    sequence.omitted === '' ? undefined : view('p', { key: 'omitted', class: 'muted' }, sequence.omitted),
  );
}

function stepView(step: StepModel, index: number): View {
  const failed = step.problem !== undefined;
  return view(
    'li',
    { key: step.key, class: failed ? 'failed' : undefined },
    view(
      'details',
      { key: `step ${step.key}`, ...(failed && { open: '' }) },
      view(
        'summary',
        {},
        chevron(),
        view('span', { class: 'number' }, `${index + 1}.`),
        view('span', { class: 'drawing' }, arrowsView(step.arrows)),
        view(
          'span',
          { class: 'what' },
          view('span', { class: 'title' }, step.title),
          view('span', { class: 'route muted' }, step.route),
          view('span', { class: 'request muted' }, step.request),
        ),
        view('span', { class: 'result' }, toneIcon(step.tone), view('span', {}, step.status)),
        view('span', { class: 'time muted' }, step.time),
      ),
      step.problem && problemView(step.problem),
      ...step.fields.map(fieldsView),
    ),
  );
}

/** The middle of a lane, in percent of the width. */
function middleOf(lane: Lane): number {
  return ((LANES.indexOf(lane) + 0.5) / LANES.length) * 100;
}

const FIRST_ARROW_Y = 12;
const BETWEEN_ARROWS = 12;
const HEAD = 6;

function arrowsView(arrows: StepModel['arrows']): View {
  return view(
    'svg',
    { class: 'arrows', width: '100%', height: '100%', 'aria-hidden': 'true' },
    ...LANES.map((lane) => {
      const x = `${middleOf(lane)}%`;
      return view('line', { key: lane, class: 'lifeline', x1: x, x2: x, y1: '0', y2: '100%' });
    }),
    ...arrows.flatMap(({ from, isAnswer, to }, index) => {
      const y = FIRST_ARROW_Y + index * BETWEEN_ARROWS;
      const isToRight = middleOf(to) > middleOf(from);
      const back = isToRight ? -HEAD : HEAD;
      return [
        view('line', {
          key: `arrow ${index}`,
          class: isAnswer ? 'arrow answer' : 'arrow',
          x1: `${middleOf(from)}%`,
          x2: `${middleOf(to)}%`,
          y1: String(y),
          y2: String(y),
        }),
        view(
          'svg',
          { key: `head ${index}`, class: 'place', x: `${middleOf(to)}%`, y: String(y) },
          view('path', { class: 'head', d: `M${back} ${-HEAD / 1.5}L0 0L${back} ${HEAD / 1.5}` }),
        ),
      ];
    }),
  );
}

function fieldsView({ empty, fields, title }: StepModel['fields'][number]): View {
  return view(
    'div',
    { key: title, class: 'fields' },
    view('h3', {}, title),
    fields.length === 0
      ? view('p', { key: 'none', class: 'muted' }, empty)
      : view(
          'table',
          { key: 'some', 'aria-label': title },
          view(
            'tbody',
            {},
            ...fields.map(({ label, value }, index) =>
              view(
                'tr',
                { key: String(index) },
                view('th', { scope: 'row' }, label),
                view('td', {}, view('code', {}, value)),
              ),
            ),
          ),
        ),
  );
}
