// What a browser plays of a video: the shape of its pixels, and the time that is on the screen.

/** Sides are rounded. */
const squareEnough = 0.02;

/** Of a pixel of a frame, width to height, as the browser shows the video. */
export function aspectOf({ videoWidth, videoHeight }, frame) {
  const aspect = frame ? (videoWidth / videoHeight) / (frame.width / frame.height) : 1;
  return Math.abs(aspect - 1) > squareEnough ? aspect : 1;
}

/** Calls `shown` with the time of each frame that comes to the screen, in seconds. */
export function watchTime(video, shown) {
  if (!video.requestVideoFrameCallback) {
    for (const type of ['seeked', 'timeupdate']) video.addEventListener(type, () => shown(video.currentTime));
    return;
  }
  const next = (_, { mediaTime }) => {
    shown(mediaTime);
    video.requestVideoFrameCallback(next);
  };
  video.requestVideoFrameCallback(next);
}
