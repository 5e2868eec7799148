import { getNodeValue, type Node, type ParseError, parseTree, visit } from 'jsonc-parser';
import type { ConfigSyntax } from './configClient.ts';
import type { ConfigProblem, ConfigProperty, TextRange } from './configServers.ts';

/** A property of an object in a document: its name, and the node of its value, which a broken file may lack. */
export interface Member {
  readonly name: string;
  readonly nameNode: Node;
  readonly value: Node | undefined;
  /** The whole of it, without a comma. */
  readonly range: TextRange;
}

export interface JsonDocument {
  /** Undefined for a text in which there is nothing, or only comments. */
  readonly root: Node | undefined;
  readonly problems: readonly ConfigProblem[];
}

/** Parses as far as it goes. Never throws. */
export function parseJson(text: string, syntax: ConfigSyntax): JsonDocument {
  const errors: ParseError[] = [];
  const root = tree(text, errors, true);
  const problems: ConfigProblem[] = errors.map(problem('syntax'));
  if (syntax !== 'jsonc' && problems.length === 0) {
    const strict: ParseError[] = [];
    tree(text, strict, false);
    problems.push(...strict.map(problem('trailing_comma')));
  }
  if (syntax === 'json' && problems.length === 0) {
    visit(text, {
      onComment: (offset, length) => void problems.push({ type: 'comment', range: { offset, length } }),
    });
  }
  return { root, problems };
}

function tree(text: string, errors: ParseError[], allowTrailingComma: boolean): Node | undefined {
  try {
    return parseTree(text, errors, { allowTrailingComma, allowEmptyContent: true });
  } catch (error) {
    // The parser is recursive: a text of brackets only is too deep for it.
    if (!(error instanceof RangeError)) throw error;
    errors.push({ error: 1, offset: 0, length: text.length });
    return undefined;
  }
}

function problem(type: ConfigProblem['type']): (error: ParseError) => ConfigProblem {
  return ({ offset, length }) => ({ type, range: { offset, length } });
}

/** The properties of an object, in their order; none if it is something else. */
export function membersOf(node: Node | undefined): readonly Member[] {
  if (node?.type !== 'object') return [];
  return (node.children ?? []).flatMap((property) => {
    const [nameNode, value] = property.children ?? [];
    if (nameNode === undefined) return [];
    return [{ name: String(nameNode.value), nameNode, value, range: rangeOf(property) }];
  });
}

/** The value of the last property of that name, which is the one that parsers take. */
export function valueAt(node: Node | undefined, name: string): Node | undefined {
  return membersOf(node).findLast((member) => member.name === name)?.value;
}

export function rangeOf({ offset, length }: Node): TextRange {
  return { offset, length };
}

/** All strings, numbers and truth values below `node`. */
export function propertiesOf(node: Node, path: readonly (string | number)[] = []): ConfigProperty[] {
  switch (node.type) {
    case 'object':
      return membersOf(node).flatMap(({ name, value }) =>
        value === undefined ? [] : propertiesOf(value, [...path, name]),
      );
    case 'array':
      return (node.children ?? []).flatMap((child, index) => propertiesOf(child, [...path, index]));
    default:
      return [{ path, value: node.value, range: rangeOf(node) }];
  }
}

/** What the node says; undefined where there is none. */
export function dataOf(node: Node | undefined): unknown {
  return node === undefined ? undefined : getNodeValue(node);
}
