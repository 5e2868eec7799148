import { t } from './localize.ts';
import { absoluteText, agoText } from './relativeTime.ts';

/** A theme icon by its id, with the theme colour that repeats what its shape says. */
export interface IconText {
  readonly id: string;
  readonly color?: string;
}

/** What a row of the tree shows. */
export interface RowText {
  readonly label: string;
  readonly description: string;
  readonly icon?: IconText;
  /** Flags for `when` clauses, each set off by spaces. */
  readonly contextValue: string;
  /** What a screen reader says instead of the row. */
  readonly spoken: string;
}

/** A row; what is spoken is what is shown, unless given. */
export function row(
  label: string,
  description: string,
  icon: IconText,
  contextValue: string,
  spoken?: string,
): RowText {
  return {
    label,
    description,
    icon,
    contextValue,
    spoken: spoken ?? (description === '' ? label : t('{0}, {1}', label, description)),
  };
}

/** One line of a tooltip. The value is plain text from anywhere and must be escaped. */
export interface TooltipLine {
  readonly label: string;
  readonly value: string;
}

/** Parts of a line, those that are there. */
export function joined(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join(' · ');
}

/** An instant and how long ago it was, for a tooltip. */
export function instantText(at: number, now: number): string {
  return joined(absoluteText(at), agoText(at, now));
}
