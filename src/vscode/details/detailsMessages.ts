import {
  array,
  boolean,
  exactOptional,
  type InferOutput,
  literal,
  maxValue,
  minValue,
  number,
  object,
  picklist,
  pipe,
  readonly,
  string,
  variant,
} from 'valibot';

/**
 * What the extension and the page of the details view tell each other, each checked where it comes in. The page knows
 * no words and no rules: all that it draws is here, and it draws texts as texts.
 */

/** How something is, told by an icon and a word; the colour only repeats it. */
export const TONES = ['good', 'working', 'away', 'warning', 'bad', 'quiet'] as const;
export type Tone = (typeof TONES)[number];
const tone = picklist(TONES);

/** What the page can ask for; each runs a command of the extension on the connection. */
export const DETAILS_ACTIONS = [
  /** What helps against the last error. */
  'fix',
  'signIn',
  'reauthorize',
  'refreshToken',
  'chooseScopes',
  'copySignInUrl',
  'cancelSignIn',
  'diagnose',
  'copyGatewayUrl',
  'export',
] as const;
export type DetailsAction = (typeof DETAILS_ACTIONS)[number];

const list = <const S extends Parameters<typeof array>[0]>(item: S) => pipe(array(item), readonly());
/** From the left edge, in percent of the width. */
const place = pipe(number(), minValue(0), maxValue(100));

/** What went wrong, and what to do about it. */
const problem = object({
  /** The wire rule that was broken: where it is written, and what it wants. */
  rule: exactOptional(object({ source: string(), text: string() })),
  message: string(),
  nextStep: string(),
});
export type DetailsProblem = InferOutput<typeof problem>;

const labelled = object({ label: string(), value: string() });

const header = object({
  name: string(),
  tone,
  /** The state in a word or two. */
  state: string(),
  /** More about it; its times tick. */
  status: string(),
  factsTitle: string(),
  facts: list(labelled),
  problem: exactOptional(problem),
  actionsTitle: string(),
  actions: list(object({ action: picklist(DETAILS_ACTIONS), label: string(), isPrimary: boolean() })),
});
export type HeaderModel = InferOutput<typeof header>;

/** How an event is drawn on the line of time; each has a shape of its own. */
export const MARKS = ['signIn', 'stepUp', 'renewal', 'warning', 'failure', 'end', 'other'] as const;
export type Mark = (typeof MARKS)[number];
const mark = picklist(MARKS);

const timelineEvent = object({
  key: string(),
  mark,
  title: string(),
  /** Absolute, for the machine as ISO 8601 too. */
  time: string(),
  iso: string(),
  ago: string(),
  details: list(string()),
});
export type TimelineEvent = InferOutput<typeof timelineEvent>;

const timeline = object({
  title: string(),
  /** In place of all else, when there is nothing to draw. */
  empty: exactOptional(string()),
  /** When tokens were, and are, good. */
  spans: list(object({ from: place, to: place, isAhead: boolean() })),
  /** Those too close to be told apart are one, with the shape of the gravest. */
  marks: list(object({ key: string(), at: place, mark, count: number(), text: string() })),
  now: object({ at: place, text: string() }),
  ticks: list(object({ at: place, text: string() })),
  legend: list(object({ mark, text: string() })),
  spanText: string(),
  aheadText: string(),
  eventsTitle: string(),
  /** The newest first, and those that are folded away. */
  events: list(timelineEvent),
  earlier: list(timelineEvent),
  earlierTitle: string(),
});
export type TimelineModel = InferOutput<typeof timeline>;

/** What one scope was at one time. */
export const CELL_STATUSES = ['granted', 'dropped', 'not_granted', 'demanded', 'asked_next', 'none'] as const;
export type CellStatus = (typeof CELL_STATUSES)[number];

const matrix = object({
  title: string(),
  empty: exactOptional(string()),
  caption: string(),
  scopeTitle: string(),
  columns: list(object({ key: string(), title: string(), time: string() })),
  /** How many rows are left out, in words; empty for none. */
  more: string(),
  rows: list(
    object({
      scope: string(),
      cells: list(object({ status: picklist(CELL_STATUSES), text: string(), notes: string() })),
    }),
  ),
});
export type MatrixModel = InferOutput<typeof matrix>;

/** Who takes part in an authorization, from the left. */
export const LANES = ['scopekeeper', 'browser', 'server', 'authorizationServer'] as const;
export type Lane = (typeof LANES)[number];
const lane = picklist(LANES);

const fieldList = object({ title: string(), empty: string(), fields: list(labelled) });

const step = object({
  key: string(),
  title: string(),
  /** From whom to whom, in words: for a narrow view, and for who cannot see the arrows. */
  route: string(),
  arrows: list(object({ from: lane, to: lane, isAnswer: boolean() })),
  request: string(),
  /** Since the beginning, and how long it took. */
  time: string(),
  tone,
  status: string(),
  fields: list(fieldList),
  problem: exactOptional(problem),
});
export type StepModel = InferOutput<typeof step>;

const sequence = object({
  title: string(),
  empty: exactOptional(string()),
  tone,
  outcome: string(),
  lanes: list(object({ lane, name: string() })),
  stepsTitle: string(),
  steps: list(step),
  /** How many steps are left out, in words; empty for none. */
  omitted: string(),
  /** What went wrong at no step, such as nobody coming back from the browser. */
  problem: exactOptional(problem),
});
export type SequenceModel = InferOutput<typeof sequence>;

const details = object({
  header,
  timeline,
  matrix,
  sequence,
  /** What a screen reader says when it is another than before. */
  announcement: string(),
});
export type DetailsModel = InferOutput<typeof details>;

const page = {
  connectionId: string(),
  /** The BCP 47 tag of the editor's language. */
  language: string(),
  /** Of the page, for a screen reader. */
  title: string(),
};
/** To the page. */
export const hostMessageSchema = variant('type', [
  object({ ...page, type: literal('show'), details }),
  /** There is nothing to show yet. */
  object({ ...page, type: literal('wait'), text: string() }),
]);
export type HostMessage = InferOutput<typeof hostMessageSchema>;

/** From the page. */
export const pageMessageSchema = variant('type', [
  /** It can draw now. */
  object({ type: literal('ready') }),
  object({ type: literal('run'), action: picklist(DETAILS_ACTIONS) }),
]);
export type PageMessage = InferOutput<typeof pageMessageSchema>;

/** What the page keeps over a reload of the window; only the connection is needed to draw it again. */
export const pageStateSchema = object({
  connectionId: string(),
  scrollTop: exactOptional(number()),
  /** The keys of what the person has folded out, or, of what was open by itself, folded in. */
  toggled: exactOptional(list(string())),
});
export type PageState = InferOutput<typeof pageStateSchema>;
