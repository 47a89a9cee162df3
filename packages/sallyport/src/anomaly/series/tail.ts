/** Tails of the two distributions everything here is measured against: the normal and the chi-squared. */

/** P(Z >= z) of the standard normal; relative error below 1e-6 far into the tail (erfc by Numerical Recipes 6.2). */
export function normalTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  const series =
    -1.26551223 +
    t *
      (1.00002368 +
        t *
          (0.37409196 +
            t *
              (0.09678418 +
                t *
                  (-0.18628806 +
                    t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  const tail = 0.5 * t * Math.exp(-x * x + series);
  return z >= 0 ? tail : 1 - tail;
}

/** P(|Z| >= |z|). */
export function normalTails(z: number): number {
  return Math.min(1, 2 * normalTail(Math.abs(z)));
}

/** P(X >= x) of the chi-squared with `freedom` degrees, which need not be a whole number. */
export function chiSquaredTail(x: number, freedom: number): number {
  return x <= 0 ? 1 : upperGamma(freedom / 2, x / 2);
}

const ENOUGH = 1e-12;
const STEPS_MAX = 500;

/** The regularised upper incomplete gamma function Q(a, x): series below a + 1, Lentz's continued fraction above. */
function upperGamma(a: number, x: number): number {
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = 1; n < STEPS_MAX && term > sum * ENOUGH; n++) {
      term *= x / (a + n);
      sum += term;
    }
    return Math.max(0, 1 - sum * front);
  }
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; n < STEPS_MAX; n++) {
    const an = -n * (n - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    fraction *= d * c;
    if (Math.abs(d * c - 1) < ENOUGH) break;
  }
  return front * fraction;
}

const LANCZOS = [
  76.18009172947146, -86.50532032941678, 24.01409824083091, -1.231739572450155, 1.208650973866179e-3,
  -5.395239384953e-6,
];

function logGamma(x: number): number {
  const shifted = x + 5.5;
  let sum = 1.000000000190015;
  LANCZOS.forEach((factor, at) => (sum += factor / (x + 1 + at)));
  return (x + 0.5) * Math.log(shifted) - shifted + Math.log((2.5066282746310002 * sum) / x);
}
