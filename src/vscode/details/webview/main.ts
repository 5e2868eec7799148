// The page of the details view. It draws what the extension tells it, and asks it for what the buttons do.
import { safeParse } from 'valibot';
import {
  type DetailsModel,
  hostMessageSchema,
  type PageMessage,
  type PageState,
  pageMessageSchema,
  pageStateSchema,
} from '../detailsMessages.ts';
import { headerView } from './headerView.ts';
import { matrixView } from './matrixView.ts';
import { patch, type View, view } from './patch.ts';
import { sequenceView } from './sequenceView.ts';
import { timelineView } from './timelineView.ts';

/** What the editor gives to a webview's page. */
interface EditorApi {
  postMessage(message: PageMessage): void;
  getState(): unknown;
  setState(state: PageState): void;
}
declare function acquireVsCodeApi(): EditorApi;

const editor = acquireVsCodeApi();
const main = document.querySelector('main');
const kept = safeParse(pageStateSchema, editor.getState());
let state: PageState | undefined = kept.success ? kept.output : undefined;
let isDrawn = false;
let announced: string | undefined;
let news = '';

function remember(change: Partial<PageState>): void {
  if (state === undefined) return;
  state = { ...state, ...change };
  editor.setState(state);
}

/** Draws, and gives the focus back when what had it is gone. */
function draw(views: readonly View[]): void {
  if (main === null) return;
  const focused = document.activeElement;
  const hadFocus = focused !== null && focused !== document.body;
  patch(main, views);
  if (!hadFocus || document.activeElement === focused) return;
  (main.querySelector('button') ?? main.querySelector('h1'))?.focus();
}

function show(details: DetailsModel): void {
  // What is there from the beginning is read by whoever comes to it; only what changes is said.
  if (announced !== undefined && announced !== details.announcement) news = details.announcement;
  announced = details.announcement;
  draw([
    headerView(details.header),
    timelineView(details.timeline),
    matrixView(details.matrix),
    sequenceView(details.sequence),
    view('p', { key: 'news', class: 'unseen', role: 'status' }, news),
  ]);
  if (isDrawn) return;
  isDrawn = true;
  for (const part of document.querySelectorAll('details')) {
    if (state?.toggled?.includes(part.dataset['key'] ?? '') === true) part.open = !part.open;
  }
  window.scrollTo(0, state?.scrollTop ?? 0);
}

window.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
  const { output: message, success } = safeParse(hostMessageSchema, data);
  if (!success) return;
  const { connectionId, language, title } = message;
  document.documentElement.lang = language;
  document.title = title;
  if (state?.connectionId !== connectionId) state = { connectionId };
  editor.setState(state);
  if (message.type === 'show') show(message.details);
  else draw([view('p', { class: 'empty wait', role: 'status' }, message.text)]);
});

document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element ? target.closest('button') : null;
  const { output: message, success } = safeParse(pageMessageSchema, { type: 'run', action: button?.dataset['action'] });
  if (success) editor.postMessage(message);
});

// A fold of the person's own making is kept over a reload.
document.addEventListener('click', ({ target }) => {
  const key = target instanceof Element ? target.closest('summary')?.closest('details')?.dataset['key'] : undefined;
  if (key === undefined) return;
  const toggled = state?.toggled ?? [];
  remember({ toggled: toggled.includes(key) ? toggled.filter((other) => other !== key) : [...toggled, key] });
});

window.addEventListener('scrollend', () => remember({ scrollTop: window.scrollY }));

editor.postMessage({ type: 'ready' });
