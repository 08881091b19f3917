type SparkProps = { readonly values: readonly number[]; readonly label: string };

const WIDTH = 240;
const HEIGHT = 48;

/** A small line of what was, newest on the right. Its words say the newest and the highest. */
export function Spark({ values, label }: SparkProps) {
  const highest = Math.max(...values, 0);
  const top = highest === 0 ? 1 : highest;
  const step = WIDTH / Math.max(values.length - 1, 1);
  const points = values.map((value, index) => {
    const y = HEIGHT - 2 - (value / top) * (HEIGHT - 6);
    return `${(index * step).toFixed(1)} ${y.toFixed(1)}`;
  });
  const line = points.length < 2 ? "" : `M${points.join("L")}`;
  const now = values.at(-1) ?? 0;
  return (
    <svg
      className="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label}: ${shortOf(now)} now, ${shortOf(highest)} at most`}
    >
      {line !== "" && <path data-part="area" d={`${line}L${WIDTH} ${HEIGHT}L0 ${HEIGHT}Z`} />}
      {line !== "" && <path data-part="line" d={line} />}
    </svg>
  );
}

/** At most one decimal, in the way of the language. */
export function shortOf(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: value < 100 ? 1 : 0 });
}
