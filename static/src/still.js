/**
 * The last picture of a session, to look at while the connection is away.
 *
 * @param {HTMLCanvasElement} canvas
 * @returns {HTMLCanvasElement | null} a copy, or null where there is nothing to copy
 */
export function still(canvas) {
  if (canvas.width === 0 || canvas.height === 0) {
    return null;
  }
  const copy = document.createElement('canvas');
  copy.width = canvas.width;
  copy.height = canvas.height;
  copy.className = 'still';
  copy.getContext('2d')?.drawImage(canvas, 0, 0);
  return copy;
}
