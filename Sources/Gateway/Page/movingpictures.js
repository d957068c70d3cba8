// The moving pictures of a stream on a stage, and how old each is; a connection that breaks is made anew.
import { element } from './elements.js';
import { pictures } from './multipart.js';
import { Problem, sentence } from './problems.js';

const firstWait = 500;
const longestWait = 8000;

/** Of a gateway that has much to do, or is just not there. */
const passing = [0, 429, 502, 503, 504];

/**
 * Until the signal aborts or the stream is over, which its events tell of.
 * @param onShown gets `{sequence, age}` of each picture on the stage, `age` in milliseconds as it came here, once the
 *   stage has its size and shape
 * @param onBreak gets why nothing comes, in words
 */
export async function showPictures(path, stage, { signal, onShown, onBreak }) {
  const canvas = element('canvas', { 'aria-hidden': 'true' });
  const context = canvas.getContext('2d');
  stage.show(canvas);
  let wait = firstWait;
  for (;;) {
    let why = 'The pictures broke off.';
    try {
      // One after the other: what this device is too slow for, the gateway leaves out.
      await pictures(path, async (blob, headers) => {
        const picture = await createImageBitmap(blob);
        if (signal.aborted) return picture.close();
        if (canvas.width !== picture.width || canvas.height !== picture.height) {
          canvas.width = picture.width;
          canvas.height = picture.height;
        }
        stage.setSize(picture.width, picture.height);
        stage.setAspect(Number(headers.get('x-pixel-aspect') ?? 1));
        context.drawImage(picture, 0, 0);
        picture.close();
        wait = firstWait;
        onShown({ sequence: Number(headers.get('x-frame-sequence')), age: Number(headers.get('x-frame-age-ms')) });
      }, { signal });
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem) {
        if (error.status === 404) return;
        if (!passing.includes(error.status)) throw error;
        why = sentence(error);
      }
    }
    if (signal.aborted) return;
    onBreak(`${why} Trying again …`);
    await new Promise((resolve) => { setTimeout(resolve, wait); });
    if (signal.aborted) return;
    wait = Math.min(wait * 2, longestWait);
  }
}
