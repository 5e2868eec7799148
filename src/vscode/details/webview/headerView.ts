import type { DetailsProblem, HeaderModel } from '../detailsMessages.ts';
import { toneIcon } from './icons.ts';
import { type View, view } from './patch.ts';

/** What the connection is, how it is, and what can be done with it. */
export function headerView(header: HeaderModel): View {
  return view(
    'header',
    {},
    view('h1', { id: 'name', tabindex: '-1' }, header.name),
    view(
      'p',
      { class: 'state' },
      toneIcon(header.tone),
      view('strong', {}, header.state),
      view('span', { class: 'muted' }, header.status),
    ),
    header.problem && problemView(header.problem),
    view(
      'div',
      { class: 'actions', role: 'group', 'aria-label': header.actionsTitle },
      ...header.actions.map(({ action, isPrimary, label }) =>
        view(
          'button',
          { key: action, type: 'button', class: isPrimary ? 'primary' : 'secondary', 'data-action': action },
          label,
        ),
      ),
    ),
    view('h2', { class: 'unseen' }, header.factsTitle),
    view(
      'dl',
      { class: 'facts' },
      ...header.facts.map(({ label, value }) =>
        view('div', { key: label }, view('dt', {}, label), view('dd', {}, value)),
      ),
    ),
  );
}

function ruleView({ source, text }: NonNullable<DetailsProblem['rule']>): View {
  return view('p', { key: 'rule' }, view('span', { class: 'rule' }, source), text);
}

/** What went wrong, told by a mark and in words. */
export function problemView({ message, nextStep, rule }: DetailsProblem): View {
  return view(
    'div',
    { key: 'problem', class: 'problem' },
    toneIcon('bad'),
    view(
      'div',
      {},
      view('p', {}, message),
      rule === undefined ? undefined : ruleView(rule),
      view('p', { class: 'next' }, nextStep),
    ),
  );
}
