import type { ConfiguredServer } from '../../mcpConfig/configServers.ts';
import type { ConfigSection, ConfigSource } from '../../mcpConfig/configSources.ts';

/** A file of a client that is there, and what it says of servers. */
export interface FoundFile extends ConfigSource {
  /** Its path from the home folder on, or from that of the workspace on. */
  readonly shown: string;
  readonly text: string;
  readonly sections: readonly ConfigSection[];
  /** Why it could not be read: a `problem` of `ConfigFileFailure`. */
  readonly failure?: string;
}

/** Where a file names a server. */
export interface ServerPlace {
  readonly file: FoundFile;
  readonly section: ConfigSection;
  readonly server: ConfiguredServer;
}

/** All servers in the files, in their order. */
export function placesIn(files: readonly FoundFile[]): ServerPlace[] {
  return files.flatMap((file) =>
    file.sections.flatMap((section) => section.servers.map((server) => ({ file, section, server }))),
  );
}
