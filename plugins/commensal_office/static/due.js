// What an order costs with the weights that somebody types, as the server will work it out when they arrive: the same
// sums in the same order, in whole numbers and fractions, by the rules that plugins give for their adjustments.

const fraction = ([above, below]) => [BigInt(above), BigInt(below)];
const sum = ([a, b], [c, d]) => [a * d + c * b, b * d];
const product = ([a, b], [c, d]) => [a * c, b * d];
const isMore = ([a, b], [c, d]) => a * d > c * b;

// Rounded to a whole number, halves up.
function rounded([above, below]) {
  const doubled = 2n * above + below, whole = doubled / (2n * below);
  return Number(doubled < 0n && whole * 2n * below !== doubled ? whole - 1n : whole);
}

const weighed = (weight) => [BigInt(weight.toFixed(6).replace(".", "")), 1_000_000n]; // as it is sent

function goods(line, weight) {
  if (weight === undefined) return line.goods;
  const exact = weighed(weight), [above, below] = fraction(line.piece);
  const paid = line.most && isMore(exact, fraction(line.most)) ? fraction(line.most) : exact;
  return rounded(product(product([BigInt(line.price), 1n], paid), [below, above]));
}

function quantity(line, weight) {
  if (weight !== undefined) return weighed(weight);
  return line.final === null ? product(fraction(line.piece), [BigInt(line.quantity), 1n]) : weighed(line.final);
}

function amount(rule, lines, weights) {
  const bearing = lines.filter((line) => line.id in rule.shares);
  if (rule.unweighed !== null && bearing.every((line) => weights[line.id] === undefined && line.final === null)) return rule.unweighed;
  const measure = bearing.reduce((measured, line) => {
    const of = rule.of === "amount" ? [BigInt(goods(line, weights[line.id])), 1n] : quantity(line, weights[line.id]);
    return sum(measured, product(of, fraction(rule.shares[line.id])));
  }, fraction(rule.base));
  if (rule.steps.length) return (rule.steps.find(([upTo]) => !isMore(measure, fraction(upTo))) ?? [null, rule.beyond])[1];
  const whole = Math.max(rounded(measure), rule.least);
  return rule.most === null ? whole : Math.min(whole, rule.most);
}

// Returns the total of an order with `weights` (numbers in the lines' units, by line id) in minor units; null where only
// the server knows it: without rules, for goods that are not delivered at all, and where a reduction is cut.
export function total(order, weights, isVatAdded) {
  const lines = order.lines.filter((line) => line.quantity);
  if (!order.rules || lines.some((line) => weights[line.id] === 0 || (line.final === 0 && line.id in weights))) return null;
  const rates = new Map();
  let all = 0;
  const add = (value, rate) => {
    all += value;
    const key = rate && String(rate);
    if (key) rates.set(key, { rate, amount: (rates.get(key)?.amount ?? 0) + value });
  };
  for (const line of lines) add(goods(line, weights[line.id]), line.vat);
  for (const rule of order.rules) add(amount(rule, lines, weights), rule.vat);
  if (all < 0 || [...rates.values()].some((each) => each.amount < 0)) return null;
  for (const each of isVatAdded ? rates.values() : []) all += rounded(product([BigInt(each.amount), 100n], fraction(each.rate)));
  return all + lines.reduce((deposits, line) => deposits + line.amount - line.goods, 0);
}
