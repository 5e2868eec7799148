// The process that sends refreshes, built as the tests are.
import '../../src/platform/exchange/exchangeProcess.ts';
