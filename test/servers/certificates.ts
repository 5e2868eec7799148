import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** As PEM. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Makes a self-signed certificate for `names` (`DNS:...`, `IP:...`), good for a day. */
export function makeCertificate(...names: readonly string[]): Certificate {
  return selfSigned('Scopekeeper test', `subjectAltName=${names.join(',')}`);
}

/** Makes a certificate authority of one's own, good for a day. */
export function makeAuthority(): Certificate {
  return selfSigned('Scopekeeper test CA', 'basicConstraints=critical,CA:TRUE');
}

/** Makes a certificate for `names` (`DNS:...`, `IP:...`) that `authority` has signed, good for a day. */
export function issueCertificate(authority: Certificate, ...names: readonly string[]): Certificate {
  return inFolder((file) => {
    writeFileSync(file('ca.key'), authority.key);
    writeFileSync(file('ca.pem'), authority.cert);
    writeFileSync(file('extensions'), `subjectAltName=${names.join(',')}\n`);
    openssl('req', '-new', ...NEW_KEY, '-subj', '/CN=Scopekeeper test', '-keyout', file('key'), '-out', file('csr'));
    const signer = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '1'];
    openssl('x509', '-req', '-in', file('csr'), ...signer, '-extfile', file('extensions'), '-out', file('cert'));
    return { key: readFileSync(file('key'), 'utf8'), cert: readFileSync(file('cert'), 'utf8') };
  });
}

function selfSigned(name: string, extension: string): Certificate {
  return inFolder((file) => {
    const subject = ['-subj', `/CN=${name}`, '-addext', extension];
    openssl('req', '-x509', ...NEW_KEY, '-days', '1', '-keyout', file('key'), '-out', file('cert'), ...subject);
    return { key: readFileSync(file('key'), 'utf8'), cert: readFileSync(file('cert'), 'utf8') };
  });
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'ignore' });
}

/** Runs `make` with the paths of files in a folder that goes afterwards. */
function inFolder<T>(make: (file: (name: string) => string) => T): T {
  const folder = mkdtempSync(path.join(tmpdir(), 'scopekeeper-cert-'));
  try {
    return make((name) => path.join(folder, name));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
