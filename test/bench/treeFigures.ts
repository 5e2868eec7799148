import * as v from 'valibot';

/** Names the file in which the host test leaves what it measured; it leaves nothing where that is not set. */
export const TREE_FIGURES_VARIABLE = 'SCOPEKEEPER_TREE_FIGURES';

const ms = v.number();

/** What was measured of the tree in a real extension host, in ms. */
export const treeFiguresSchema = v.object({
  /** From the activation to where all are loaded. */
  loadMs: ms,
  /** All rows at the top, the best of several times, and the first time. */
  rowsMs: ms,
  firstRowsMs: ms,
  /** From the command that shows the view to the last row that the editor asked for. */
  openMs: ms,
  openCalls: v.number(),
});
export type TreeFigures = v.InferOutput<typeof treeFiguresSchema>;
