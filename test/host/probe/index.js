// The editor wants an extension's code inside its folder; this one's is built elsewhere.
module.exports = require('../../../out/test/host/probe/probe.main.cjs');
