// The face of the noVNC bundle: its RFB class and nothing else.
export { default } from '@novnc/novnc';
