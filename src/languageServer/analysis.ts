import { urlWithoutTokens } from '../mcpConfig/entryTokens.ts';
import { entryUrl, type EntryUrl } from '../mcpConfig/entryUrl.ts';
import type { ConfigClient } from '../mcpConfig/configClient.ts';
import type { ConfigProblem, TextRange } from '../mcpConfig/configServers.ts';
import { readJsonEntry, type EntryContents } from '../mcpConfig/entryKeys.ts';
import { outlineJson, serversPlan, type JsonOutline } from '../mcpConfig/jsonOutline.ts';
import { readTomlPart, type TomlPart, type TomlPartRead, tomlParts } from '../mcpConfig/tomlEntries.ts';
import { entryFindings, type EntryFinding } from './entryFindings.ts';
import { tellingParts } from './tellingParts.ts';
import { shifted } from './configDocument.ts';
import { canonicalResource } from '../oauth/serverUrl.ts';

/** What an entry says by itself. It depends on its text only, so it is kept for as long as that stays as it is. */
export interface EntryFacts extends EntryContents {
  readonly url: EntryUrl | undefined;
  /** What a connection to it is known by (P14), without a token that is written in it; undefined for what is no URL. */
  readonly canonicalUrl: string | undefined;
  /** What makes it another entry than one with the same URL. */
  readonly telling: string;
  readonly findings: readonly EntryFinding[];
}

/** A server of a document. */
export interface AnalyzedServer {
  readonly name: string;
  /** The folder that it is for, of those that Claude Code keeps below `projects`. */
  readonly folder: string | undefined;
  /** The object that holds it; names in it are told apart. */
  readonly container: string;
  readonly nameRange: TextRange;
  readonly range: TextRange;
  readonly facts: EntryFacts;
  /** What is added to offsets in `facts`. */
  readonly base: number;
}

export interface Analysis {
  readonly servers: readonly AnalyzedServer[];
  readonly containers: JsonOutline['containers'];
  readonly problems: readonly ConfigProblem[];
}

/** The same of a part of a document in TOML; ranges are from its start. */
interface TomlFacts extends Pick<TomlPartRead, 'problems'> {
  readonly entries: readonly Pick<AnalyzedServer, 'name' | 'nameRange' | 'range' | 'facts'>[];
}

/** Reads one document again and again. Of an entry that did not change, what it says is not made out again. */
export class Analyzer {
  readonly #client: ConfigClient;
  #known = new Map<string, EntryFacts>();
  #knownToml = new Map<string, TomlFacts>();

  constructor(client: ConfigClient) {
    this.#client = client;
  }

  /** Never throws. */
  analyze(text: string): Analysis {
    return this.#client.syntax === 'toml' ? this.#analyzeToml(text) : this.#analyzeJson(text);
  }

  #analyzeJson(text: string): Analysis {
    const { servers, containers, problems } = outlineJson(text, serversPlan(this.#client));
    // The keys are cut from the new text: those of the old map would keep the old text in memory.
    const known = new Map<string, EntryFacts>();
    const analyzed = servers.map(({ path, name, nameRange, range }) => {
      const written = text.slice(range.offset, range.offset + range.length);
      const facts = known.get(written) ?? this.#known.get(written) ?? this.#factsOf(written, readJsonEntry(written));
      known.set(written, facts);
      return {
        name,
        folder: path.length > 2 ? path[1] : undefined,
        container: path.length > 2 ? path.slice(0, -1).join('\0') : '',
        nameRange,
        range,
        facts,
        base: range.offset,
      };
    });
    this.#known = known;
    return { servers: analyzed, containers, problems };
  }

  #analyzeToml(text: string): Analysis {
    const { parts, problems } = tomlParts(text, this.#client);
    const known = new Map<string, TomlFacts>();
    const servers: AnalyzedServer[] = [];
    const wrong = [...problems];
    for (const part of parts) {
      // The text of a part begins with the name of its server, if only one counts.
      const facts = known.get(part.text) ?? this.#knownToml.get(part.text) ?? this.#readTomlPart(part);
      known.set(part.text, facts);
      for (const { type, range } of facts.problems) wrong.push({ type, range: shifted(range, part.start) });
      for (const { name, nameRange, range, facts: own } of facts.entries) {
        servers.push({
          name,
          folder: undefined,
          container: '',
          nameRange: shifted(nameRange, part.start),
          range: shifted(range, part.start),
          facts: own,
          base: part.start,
        });
      }
    }
    this.#knownToml = known;
    return { servers, containers: [], problems: wrong };
  }

  #readTomlPart(part: TomlPart): TomlFacts {
    const { entries, problems } = readTomlPart(part, this.#client);
    return {
      problems,
      entries: entries.map(({ name, nameRange, range, contents }) => {
        const facts = this.#factsOf(part.text, contents);
        return { name, nameRange, range, facts };
      }),
    };
  }

  #factsOf(text: string, contents: EntryContents): EntryFacts {
    const url = entryUrl(contents);
    const isKnown = url !== undefined && !url.hasReference && URL.canParse(url.url);
    return {
      ...contents,
      url,
      canonicalUrl: isKnown ? canonicalResource(new URL(urlWithoutTokens(url.url))) : undefined,
      telling: tellingParts(contents, url?.url),
      findings: entryFindings(text, this.#client, contents, url),
    };
  }
}
