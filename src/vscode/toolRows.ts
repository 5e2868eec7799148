import type { ToolSummary } from '../gateway/gatewayService.ts';
import { type AllowedTools, isToolAllowed } from '../gateway/localAccess.ts';
import { plainText } from '../oauth/errors.ts';
import { t } from './localize.ts';
import { joined } from './rowText.ts';
import { withoutLinks } from './untrustedText.ts';

const LONGEST_DESCRIPTION = 160;

export interface ToolRow {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  readonly detail: string;
  readonly isTicked: boolean;
}

/**
 * The tools to choose from, as the server lists them; behind them those that were allowed and are not there now.
 * @param before what was allowed so far
 */
export function toolRows(tools: readonly ToolSummary[], before: AllowedTools | undefined): readonly ToolRow[] {
  const listed = new Map(tools.map((tool) => [tool.name, tool]));
  const gone = before === undefined || before === '*' ? [] : before.filter((name) => !listed.has(name));
  const badge = (name: string) =>
    before !== undefined && isToolAllowed(before, name) ? t('allowed before') : undefined;
  return [
    ...Array.from(listed.values(), ({ name, title, description }) => ({
      name,
      label: plain(name),
      description: joined(badge(name), title === undefined ? undefined : plain(title)),
      detail: plain(description),
      isTicked: badge(name) !== undefined,
    })),
    ...Array.from(new Set(gone), (name) => ({
      name,
      label: plain(name),
      description: joined(badge(name), t('not there now')),
      detail: '',
      isTicked: true,
    })),
  ];
}

function plain(text: string | undefined): string {
  return withoutLinks(plainText(text, LONGEST_DESCRIPTION) ?? '');
}
