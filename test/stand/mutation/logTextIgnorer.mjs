// A plugin of Stryker: leaves alone what is handed to a Log.

const LEVELS = new Set(['debug', 'info', 'warn', 'error']);

/** Whether a syntax node is `log`, `#log` or a member of that name. */
function isLog(node) {
  if (node.type === 'Identifier') return node.name === 'log';
  if (node.type === 'PrivateName') return node.id.name === 'log';
  return node.type === 'MemberExpression' && isLog(node.property);
}

const logTextIgnorer = {
  shouldIgnore({ node }) {
    const isLogCall =
      node.type === 'CallExpression' &&
      node.callee.type === 'MemberExpression' &&
      LEVELS.has(node.callee.property.name) &&
      isLog(node.callee.object);
    return isLogCall ? 'a text of the log' : undefined;
  },
};

export const strykerPlugins = [{ kind: 'Ignore', name: 'log-text', value: logTextIgnorer }];
