// Values → an axis: its range, its ticks, and the place of a value from 0 to 1. Pure.

export interface Axis {
  readonly ticks: readonly number[]
  place(value: number): number
}

/** An axis on which a factor is a distance. The ends are 1, 2 or 5 times a power of ten. */
export function logAxis(values: readonly number[]): Axis {
  const steps = Array.from({ length: 16 }, (_, index) => index - 4).flatMap((power) =>
    [1, 2, 5].map((digit) => digit * 10 ** power),
  )
  const [least, most] = [Math.min(...values), Math.max(...values)]
  const first = steps.findLastIndex((step) => step <= least * 1.0001)
  const last = steps.findIndex((step) => step >= most * 0.9999)
  const inside = steps.slice(first, last + 1)
  const isShort = inside.length <= 7
  const isPower = (value: number) => Number.isInteger(Math.round(Math.log10(value) * 1e6) / 1e6)
  const [from, to] = [Math.log(inside[0] ?? 1), Math.log(inside.at(-1) ?? 10)]
  return {
    ticks: isShort ? inside : inside.filter(isPower),
    place: (value) => (Math.log(value) - from) / (to - from || 1),
  }
}

/** An axis from 0, with about five ticks. */
export function linearAxis(values: readonly number[]): Axis {
  const most = Math.max(...values, 1e-9)
  const power = 10 ** Math.floor(Math.log10(most / 5))
  const step = [1, 2, 5, 10].map((digit) => digit * power).find((one) => most / one <= 5) ?? most
  const count = Math.ceil(most / step - 1e-9)
  return {
    ticks: Array.from({ length: count + 1 }, (_, index) => index * step),
    place: (value) => value / (count * step),
  }
}
