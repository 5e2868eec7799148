import type { PortNews } from '../connections/ports.ts';
import { t } from './localize.ts';

/** What became of the port that was set, and what to do about it. */
export function portText(news: PortNews): string {
  switch (news.type) {
    case 'moved':
      return t(
        'Scopekeeper is at port {0} of this computer now, no longer at {1}. Copy the configurations of your local clients anew: they name the old port. So do clients that you registered by hand at authorization servers.',
        String(news.to),
        String(news.from),
      );
    case 'refused':
      return t(
        'Scopekeeper could not move to port {0} of this computer, which another program uses, and is still at {1}. Close that program, or choose another port.',
        String(news.wanted),
        String(news.kept),
      );
  }
}
