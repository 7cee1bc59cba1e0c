// QR codes, from pictures and from the camera. A code carries the bytes of a bundle (binary mode), or its text.

import { decodeQR } from "qr/decode.js";

import { byteText, textBytes } from "../src/bytes.js";

const sideMax = 4096; // pixels; larger pictures are made smaller

/** readCode finds the first QR code in a picture and gives its bytes; undefined where there is none. */
export async function readCode(picture: Blob): Promise<Uint8Array | undefined> {
  const bitmap = await createImageBitmap(picture);
  const scale = Math.min(1, sideMax / Math.max(bitmap.width, bitmap.height));
  try {
    return codeIn(bitmap, Math.max(1, Math.floor(bitmap.width * scale)), Math.max(1, Math.floor(bitmap.height * scale)), 5000);
  } finally {
    bitmap.close();
  }
}

function codeIn(source: CanvasImageSource, width: number, height: number, timeLimit: number): Uint8Array | undefined {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) return undefined;
  context.fillStyle = "white"; // behind what is transparent
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0, width, height);
  try {
    return textBytes(decodeQR(context.getImageData(0, 0, width, height), { textDecoder: byteText, timeLimit, effort: 4 }));
  } catch {
    return undefined; // no code, or one that cannot be read
  }
}

/** Camera shows what it sees in a video element until a code is found or it is stopped. */
export class Camera {
  #stream: MediaStream | undefined;
  readonly #video: HTMLVideoElement;

  constructor(video: HTMLVideoElement) {
    this.#video = video;
  }

  /** A page that did not come over https, or from this machine, has no camera. */
  static get there(): boolean {
    return navigator.mediaDevices !== undefined;
  }

  /** find gives the bytes of the first code; undefined when stop was called. */
  async find(): Promise<Uint8Array | undefined> {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1920 } }, audio: false });
    this.#stream = stream;
    this.#video.srcObject = stream;
    await this.#video.play();
    try {
      while (this.#stream === stream) {
        await new Promise((next) => requestAnimationFrame(next));
        const { videoWidth, videoHeight } = this.#video;
        if (videoWidth === 0) continue;
        const code = codeIn(this.#video, videoWidth, videoHeight, 100);
        if (code !== undefined) return code;
      }
      return undefined;
    } finally {
      this.stop();
    }
  }

  stop(): void {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = undefined;
    this.#video.srcObject = null;
  }
}
