/** What an element is to be. Texts are children, so that nothing from outside is ever taken for markup. */
export interface View {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string | undefined>>;
  readonly children: readonly (View | string)[];
}

type Child = View | string | undefined;

/**
 * An element that is to be there.
 * @param attributes `key` tells it from its like beside it; an undefined one is left out. `open` is how it begins: then
 * it is the person's.
 */
export function view(
  tag: string,
  attributes: Readonly<Record<string, string | undefined>>,
  ...children: readonly Child[]
): View {
  return {
    tag,
    attributes,
    children: children.flatMap((child) => (child === undefined || child === '' ? [] : [child])),
  };
}

const SVG = 'http://www.w3.org/2000/svg';
const SVG_TAGS: ReadonlySet<string> = new Set(['svg', 'g', 'rect', 'line', 'path', 'circle', 'text', 'title']);

/** What each node that is drawn here stands for. */
const identities = new WeakMap<Node, string>();

function identityOf(wanted: View | string): string {
  return typeof wanted === 'string' ? '#text' : `${wanted.tag} ${wanted.attributes['key'] ?? ''}`;
}

/**
 * Makes the children of `parent` those that are wanted, and touches only what is another than before: what has the focus
 * keeps it, and what is selected stays so.
 */
export function patch(parent: Element, wanted: readonly (View | string)[]): void {
  const left = Array.from(parent.childNodes);
  const kept = wanted.map((child) => {
    const index = left.findIndex((node) => identities.get(node) === identityOf(child));
    return index === -1 ? undefined : left.splice(index, 1)[0];
  });
  for (const node of left) node.remove();
  let next = parent.firstChild;
  for (const [index, child] of wanted.entries()) {
    const node = kept[index] ?? made(child);
    if (node === next) next = next.nextSibling;
    else parent.insertBefore(node, next);
    update(node, child);
  }
}

function made(wanted: View | string): Node {
  const node =
    typeof wanted === 'string'
      ? document.createTextNode('')
      : SVG_TAGS.has(wanted.tag)
        ? document.createElementNS(SVG, wanted.tag)
        : document.createElement(wanted.tag);
  identities.set(node, identityOf(wanted));
  if (node instanceof HTMLDetailsElement && typeof wanted !== 'string') {
    node.open = wanted.attributes['open'] !== undefined;
  }
  return node;
}

function update(node: Node, wanted: View | string): void {
  if (typeof wanted === 'string') {
    if (node.nodeValue !== wanted) node.nodeValue = wanted;
    return;
  }
  if (!(node instanceof Element)) return;
  for (const [name, value] of Object.entries(wanted.attributes)) {
    if (name === 'open' || (name === 'key' && !(node instanceof HTMLDetailsElement))) continue;
    const attribute = name === 'key' ? 'data-key' : name;
    if (value === undefined) node.removeAttribute(attribute);
    else if (node.getAttribute(attribute) !== value) node.setAttribute(attribute, value);
  }
  patch(node, wanted.children);
}
