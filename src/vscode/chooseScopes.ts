import * as vscode from 'vscode';
import type { Connection, ConnectionId } from '../connections/connection.ts';
import type { ConnectionService } from '../connections/connectionService.ts';
import { isScopeToken } from '../oauth/scopeSet.ts';
import { errorText } from './errorText.ts';
import { t } from './localize.ts';
import { type ScopeChoice, scopeChangesText, scopeChoices, typedChoice } from './scopeChoices.ts';
import type { SignIn } from './signIn.ts';

export interface ChooseScopesParts {
  readonly service: ConnectionService;
  readonly signIn: SignIn;
}

interface ScopeItem extends vscode.QuickPickItem {
  readonly scope: string;
  readonly isScope: boolean;
}

/** Whether there are scopes to choose: nobody knows those of a token that the person brought. */
export function hasScopes({ kind }: Connection): boolean {
  return kind !== 'static_token';
}

/** Lets the person tick scopes, and signs in for exactly these (P23). Leaving it changes nothing. */
export async function chooseScopes({ service, signIn }: ChooseScopesParts, connection: Connection): Promise<void> {
  const scopes = await new ScopePicker(service, connection).ask();
  if (scopes !== undefined) await signIn.run(service.get(connection.id) ?? connection, scopes);
}

/** The quick pick of the scopes of one connection, for one answer. */
class ScopePicker {
  readonly #service: ConnectionService;
  readonly #id: ConnectionId;
  readonly #picker = vscode.window.createQuickPick<ScopeItem>();
  readonly #end = new AbortController();
  #connection: Connection;
  /** What was typed, in the order in which it was. */
  #typed: readonly string[] = [];
  /** What stands for the text in the field, while that is no scope of the list. */
  #current: ScopeItem | undefined;
  /** Those that the person has unticked or ticked, whatever the list says. */
  readonly #decided = new Map<string, boolean>();

  constructor(service: ConnectionService, connection: Connection) {
    this.#service = service;
    this.#id = connection.id;
    this.#connection = connection;
  }

  /** The scopes that are ticked, at least one; undefined when the person leaves. */
  async ask(): Promise<readonly string[] | undefined> {
    const picker = this.#picker;
    picker.title = t('Scopes of {0}', this.#connection.name);
    picker.canSelectMany = true;
    picker.matchOnDescription = true;
    const again = { iconPath: new vscode.ThemeIcon('refresh'), tooltip: t('Ask the Server for Its Scopes') };
    picker.buttons = [again];
    try {
      return await new Promise<readonly string[] | undefined>((resolve) => {
        picker.onDidTriggerButton(() => void this.#learn()); // it tells its failures itself
        picker.onDidChangeValue((value) => this.#onValue(value));
        picker.onDidChangeSelection((items) => this.#onSelection(items));
        picker.onDidAccept(() => {
          const scopes = this.#chosen();
          if (scopes.length > 0) resolve(scopes);
          else picker.placeholder = t('Tick at least one scope');
        });
        picker.onDidHide(() => resolve(undefined));
        this.#draw();
        this.#tell();
        picker.show();
        if (this.#connection.scopesSupported === undefined) void this.#learn(); // as above
      });
    } finally {
      this.#end.abort();
      picker.dispose();
    }
  }

  /** Has the server and its authorization server tell which scopes they know; what is there already can be ticked meanwhile. */
  async #learn(): Promise<void> {
    const picker = this.#picker;
    const { signal } = this.#end;
    picker.busy = true;
    try {
      await this.#service.discoverIssuer(this.#id, { signal });
      if (signal.aborted) return;
      this.#connection = this.#service.get(this.#id) ?? this.#connection;
      this.#draw();
      this.#tell();
    } catch (error) {
      if (signal.aborted) return;
      const { summary } = errorText(error);
      picker.placeholder = t('The server does not tell its scopes now: {0}. Type those that you want.', summary);
    }
    picker.busy = false;
  }

  #onValue(value: string): void {
    const words = value.split(/\s+/).filter((word) => word !== '');
    const isWhole = /\s$/.test(value);
    // A space ends a scope, as a comma ends a tag elsewhere.
    const done = isWhole && words.every(isScopeToken) ? words : [];
    if (done.length > 0) {
      this.#typed = [...new Set([...this.#typed, ...done])];
      for (const scope of done) this.#decided.set(scope, true);
      this.#picker.value = '';
    }
    const text = done.length > 0 ? '' : value.trim();
    const isListed = this.#choices().some(({ scope }) => scope.includes(text));
    const before = this.#current;
    this.#current = text === '' || isListed ? undefined : asItem(typedChoice(text), true);
    if (done.length > 0 || before?.scope !== this.#current?.scope) this.#draw();
  }

  #onSelection(items: readonly ScopeItem[]): void {
    const ticked = new Set(items.map(({ scope }) => scope));
    for (const { scope } of this.#picker.items) this.#decided.set(scope, ticked.has(scope));
    this.#tell();
  }

  #choices(): readonly ScopeChoice[] {
    return scopeChoices(this.#connection, this.#typed);
  }

  #draw(): void {
    const listed = this.#choices().map((choice) => ({ item: asItem(choice), isTicked: this.#isTicked(choice) }));
    const current = this.#current;
    const typed =
      current === undefined ? [] : [{ item: current, isTicked: this.#decided.get(current.scope) ?? current.isScope }];
    const rows = [...typed, ...listed];
    this.#picker.items = rows.map(({ item }) => item);
    this.#picker.selectedItems = rows.filter(({ isTicked }) => isTicked).map(({ item }) => item);
  }

  #isTicked({ isTicked, scope }: ScopeChoice): boolean {
    return this.#decided.get(scope) ?? isTicked;
  }

  /** Those that are ticked in the list, also where the text in the field hides them. */
  #chosen(): readonly string[] {
    return this.#picker.selectedItems.filter(({ isScope }) => isScope).map(({ scope }) => scope);
  }

  /** Says what the ticks change, where the field is empty. */
  #tell(): void {
    const changes = scopeChangesText(this.#connection, this.#chosen());
    this.#picker.placeholder = changes ?? t('Tick the scopes to ask for, or type others');
  }
}

function asItem({ description, detail, isScope, label, scope }: ScopeChoice, alwaysShow = false): ScopeItem {
  return { scope, isScope, label, description, alwaysShow, ...(detail !== '' && { detail }) };
}
