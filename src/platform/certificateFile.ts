import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { OAuthError, type OAuthErrorDetails } from '../oauth/errors.ts';

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Reads a PEM file with certificate authorities and gives each of its certificates.
 * @param file an absolute path
 * @param from who named the file; for the message
 * Throws `ca_file_unreadable`, also when one of the certificates is none.
 */
export async function readCertificates(
  file: string,
  from: OAuthErrorDetails['ca_file_unreadable']['from'],
): Promise<string[]> {
  const refuse = (problem: OAuthErrorDetails['ca_file_unreadable']['problem'], cause?: unknown) =>
    new OAuthError('ca_file_unreadable', { path: file, problem, from }, { cause });
  // Relative to what? The working folder of an extension host is nobody's choice.
  if (!path.isAbsolute(file)) throw refuse('relative_path');
  let text: string;
  try {
    text = await readFile(file, 'latin1');
  } catch (error) {
    throw refuse('unreadable', error);
  }
  const certificates = text.match(PEM_CERTIFICATE) ?? [];
  if (certificates.length === 0 || !certificates.every(isCertificate)) throw refuse('no_certificate');
  return certificates;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}
