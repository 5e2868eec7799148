import type { MatrixModel } from '../detailsMessages.ts';
import { cellIcon } from './icons.ts';
import { type View, view } from './patch.ts';

/** Which scope was what, and when: a row for each scope, a column for each time. */
export function matrixView(matrix: MatrixModel): View {
  const title = view('h2', { id: 'matrix' }, matrix.title);
  const frame = { 'aria-labelledby': 'matrix', key: 'matrix' };
  if (matrix.empty !== undefined) return view('section', frame, title, view('p', { class: 'empty' }, matrix.empty));
  return view(
    'section',
    frame,
    title,
    // Wider than a narrow view: whoever has no mouse scrolls it by its focus.
    view(
      'div',
      { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': matrix.caption },
      view(
        'table',
        { class: 'matrix' },
        view('caption', { class: 'unseen' }, matrix.caption),
        view(
          'thead',
          {},
          view(
            'tr',
            {},
            view('th', { key: 'scope', scope: 'col' }, matrix.scopeTitle),
            ...matrix.columns.map((column) =>
              view(
                'th',
                { key: column.key, scope: 'col' },
                view('span', {}, column.title),
                column.time === '' ? undefined : view('span', { key: 'time', class: 'muted' }, column.time),
              ),
            ),
          ),
        ),
        view('tbody', {}, ...matrix.rows.map(rowView)),
      ),
    ),
    matrix.more === '' ? undefined : view('p', { key: 'more', class: 'muted' }, matrix.more),
  );
}

function rowView({ cells, scope }: MatrixModel['rows'][number]): View {
  return view(
    'tr',
    { key: scope },
    view('th', { scope: 'row' }, view('code', {}, scope)),
    ...cells.map(({ notes, status, text }, index) =>
      view(
        'td',
        { key: String(index), class: status === 'none' ? 'none' : undefined },
        view(
          'div',
          { class: 'cell' },
          cellIcon(status),
          view('span', { key: 'status', class: status === 'none' ? 'unseen' : undefined }, text),
          notes === '' ? undefined : view('span', { key: 'notes', class: 'muted notes' }, notes),
        ),
      ),
    ),
  );
}
