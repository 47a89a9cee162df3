/** One time series: a number to add to or to set. Code on a request's path keeps the series and only adds. */
export class Series {
  value = 0;
}

/** How often a value fell under each bound, and the sum of all. Bounds are fixed when it is made. */
export class Histogram {
  readonly bounds: readonly number[];
  /** Per bound, not yet cumulative; the last place counts what is over every bound. */
  readonly counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let place = 0;
    while (place < bounds.length && value > bounds[place]!) place++;
    counts[place]!++;
    this.sum += value;
  }
}
