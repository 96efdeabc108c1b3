// Reads QR codes by the camera of a telephone, where its browser can; else people type what stands beside the code.

export const canScan = "BarcodeDetector" in window;

const EVERY = 250; // milliseconds between two looks at the picture

export class Camera {
  video = null; // while the camera is open
  #stream = null;
  #timer = null;

  // Opens the camera and calls `read` with the text of each code that it sees. Returns the element that shows the
  // picture. Throws where there is no camera, or nobody lets the page use it.
  async open(read) {
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    this.#stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    this.video = document.createElement("video");
    Object.assign(this.video, { autoplay: true, muted: true, playsInline: true, srcObject: this.#stream });
    this.#timer = setInterval(async () => {
      const [code] = await detector.detect(this.video).catch(() => []);
      if (code && this.video) read(code.rawValue);
    }, EVERY);
    return this.video;
  }

  close() {
    clearInterval(this.#timer);
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.video = this.#stream = null;
  }
}
