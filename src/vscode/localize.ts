/** Gives `message` in the user's language with `{0}`, `{1}`, … filled in. The shape of `vscode.l10n.t`. */
export type Translate = (message: string, ...args: (string | number)[]) => string;

function fillIn(message: string, ...args: (string | number)[]): string {
  return message.replaceAll(/\{(\d+)\}/g, (placeholder, index: string) => String(args[Number(index)] ?? placeholder));
}

/** Translates by a bundle (English message to its translation); what is not in it stays English. */
export function translatorOf(messages: Readonly<Record<string, string>>): Translate {
  return (message, ...args) =>
    fillIn((Object.hasOwn(messages, message) ? messages[message] : undefined) ?? message, ...args);
}

let translate: Translate = fillIn;
let language = 'en';

/**
 * Makes {@link t} and {@link userLanguage} those of the editor. Called once, on activation: the files
 * that make words then need no `vscode` and are tested without one.
 */
export function setLanguage(translator: Translate, languageTag: string): void {
  translate = translator;
  language = languageTag;
}

/** Translates a literal English message; text from outside goes into `args`, never into `message`. */
export function t(message: string, ...args: (string | number)[]): string {
  return translate(message, ...args);
}

/** The BCP 47 tag of the language the editor speaks, for dates. */
export function userLanguage(): string {
  return language;
}
