import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import fc from "fast-check";
import { parseJsonInSlices } from "../../src/lib/sliced-json.ts";

const filler = "x".repeat(70_000);

/** Long enough to be cut, at every depth. */
function long(value: unknown): string {
  return JSON.stringify({ filler, value, list: [filler, value, [value, filler], { value, filler }] });
}

async function outcome(text: string): Promise<unknown> {
  try {
    return { value: await parseJsonInSlices(text) };
  } catch (error) {
    return error instanceof SyntaxError ? "a syntax error" : error;
  }
}

function expected(text: string): unknown {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return "a syntax error";
  }
}

describe("JSON that is parsed in slices", () => {
  it("gives what JSON.parse gives", () =>
    fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const text = long(value);
        expect(await outcome(text)).to.deep.equal(expected(text));
      }),
      { numRuns: 60 },
    ));

  it("refuses what JSON.parse refuses", () =>
    fc.assert(
      fc.asyncProperty(
        fc.jsonValue(),
        fc.nat(),
        fc.constantFrom(",", "]", "}", "[", "{", '"', ":", "", "\\", " ", "1"),
        async (value, at, text) => {
          const whole = long(value);
          const place = at % 2 === 0 ? at % whole.length : (at % 40) + 70_000;
          const broken = whole.slice(0, place) + text + whole.slice(place + 1);
          expect(await outcome(broken)).to.deep.equal(expected(broken));
        },
      ),
      { numRuns: 150 },
    ));

  it("keeps a member named __proto__, the last of two, and white space out", async () => {
    const text = ` { "a" : 1 , "f":"${filler}", "__proto__" : {"x":1} ,\n "a" : [ ] } `;
    const value = await parseJsonInSlices(text);
    expect(value).to.deep.equal(JSON.parse(text));
    expect(Object.keys(Object(value))).to.include("__proto__");
  });

  it("takes a long list or object of nothing but white space", async () => {
    expect(await parseJsonInSlices(`[${" ".repeat(70_000)}]`)).to.deep.equal([]);
    expect(await parseJsonInSlices(`{${" ".repeat(70_000)}}`)).to.deep.equal({});
  });

  it("takes nesting of any depth", async () => {
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    expect(await outcome(deep)).to.be.an("object");
  });

  it("lets others have their turn", async () => {
    const list = Array.from({ length: 60_000 }, (_, index) => ({
      id: index,
      text: "a longer text ".repeat(4),
    }));
    let turns = 0;
    let isDone = false;
    const parsing = parseJsonInSlices(JSON.stringify({ list })).finally(() => {
      isDone = true;
    });
    while (!isDone) {
      await nextTurn();
      turns += 1;
    }
    expect(await parsing).to.deep.equal({ list });
    expect(turns).to.be.above(3);
  });
});
