// The camera of a phone → the text of the first QR code that it sees, where the browser reads such
// codes by itself.
import type { Stream, Video, Window } from './dom.js'

/** Milliseconds between two looks. */
const PAUSE = 200

export class Camera {
  readonly #window: Window
  readonly #video: Video
  #stream: Stream | undefined

  constructor(window: Window, video: Video) {
    this.#window = window
    this.#video = video
  }

  get isPossible(): boolean {
    return (
      this.#window.BarcodeDetector !== undefined &&
      this.#window.navigator.mediaDevices !== undefined
    )
  }

  get isOn(): boolean {
    return this.#stream !== undefined
  }

  /**
   * Resolves with the text of a code, or with undefined when it was stopped before.
   *
   * @throws DOMException if the user or the system gives no camera.
   */
  async read(): Promise<string | undefined> {
    const { BarcodeDetector, navigator } = this.#window
    if (!BarcodeDetector || !navigator.mediaDevices) return undefined
    const video = { facingMode: 'environment' }
    this.#stream = await navigator.mediaDevices.getUserMedia({ video })
    try {
      const detector = new BarcodeDetector({ formats: ['qr_code'] })
      this.#video.srcObject = this.#stream
      this.#video.hidden = false
      await this.#video.play()
      while (this.isOn) {
        const [code] = await detector.detect(this.#video)
        if (code) return code.rawValue
        await new Promise((resolve) => setTimeout(resolve, PAUSE))
      }
      return undefined
    } finally {
      this.stop()
    }
  }

  stop(): void {
    for (const track of this.#stream?.getTracks() ?? []) track.stop()
    this.#stream = undefined
    this.#video.srcObject = null
    this.#video.hidden = true
  }
}
