// The parts of a browser that the page uses, as types: the compiler has Node's alone. Types only.

export interface PageElement {
  textContent: string | null
  hidden: boolean
  disabled: boolean
  value: string
  checked: boolean
  href: string
  addEventListener(type: string, listen: (event: { preventDefault(): void }) => void): void
  focus(): void
}

export interface Video extends PageElement {
  srcObject: unknown
  play(): Promise<void>
}

export interface Stream {
  getTracks(): readonly { stop(): void }[]
}

/** What reads QR codes, where a browser has it. */
export interface Detector {
  detect(video: Video): Promise<readonly { readonly rawValue: string }[]>
}

/** What a window of a browser has. */
export interface Window {
  readonly document: { getElementById(id: string): PageElement | null }
  readonly location: { readonly href: string; readonly hash: string }
  readonly history: { replaceState(state: null, title: string, url: string): void }
  readonly crypto: { readonly subtle?: unknown }
  readonly RTCPeerConnection?: unknown
  readonly BarcodeDetector?: new (options: { formats: readonly string[] }) => Detector
  readonly navigator: {
    readonly mediaDevices?: { getUserMedia(wanted: object): Promise<Stream> }
  }
  /** A getter that throws if the user allows no storage. */
  readonly localStorage: {
    getItem(key: string): string | null
    setItem(key: string, value: string): void
    removeItem(key: string): void
  }
  addEventListener(type: string, listen: () => void): void
}
