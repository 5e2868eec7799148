// The program that the extension starts for a call of the keychain, built for the tests.
import '../../../src/platform/keytarProcess.ts';
