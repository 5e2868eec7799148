// npm run pictures: takes the README's pictures from what the browser tests have just seen.
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { REPOSITORY, SCREENSHOTS_FOLDER } from './standPaths.ts';

const folder = path.join(REPOSITORY, 'media', 'pictures');
await mkdir(folder, { recursive: true });
const pictures = (await readdir(SCREENSHOTS_FOLDER)).filter((name) => name.startsWith('readme-'));
if (pictures.length === 0) throw new Error('The browser tests took no picture for the README.');
for (const name of pictures) {
  await copyFile(path.join(SCREENSHOTS_FOLDER, name), path.join(folder, name.replace('readme-', '')));
}
console.log(`media/pictures: ${pictures.length} pictures`);
