import { inspect } from "node:util";
import type { StaticEncode, TArray, TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { placedMessages } from "../lib/schema-errors.ts";

/** The settings that the defaults of others follow. */
export type Given = { readonly port: number; readonly adminHost: string };

type Problem = (name: string, value: unknown) => string | undefined;

type Row<S extends TSchema> = {
  readonly schema: S;
  /** Finds what the schema cannot say, in a value that the schema takes. */
  readonly problem?: Problem;
  /** The variable that sets it; absent: only a file does. */
  readonly environment?: string;
  /** What `sluice start --help` calls its value; absent: the setting is no flag. */
  readonly flag?: string;
  /** A secret is neither repeated in a message nor shown. */
  readonly isSecret?: true;
  /** What the setting is for, in a sentence for its operator. */
  readonly help: string;
  /** The default as docs/configuration.md and `--help` say it, in Markdown. */
  readonly defaultText: string;
};

/** One row of the table of settings: everything that is known of a setting, but its name. */
export type Setting<Value> = Omit<Row<TSchema>, "problem"> & {
  /** Why a value cannot be used, as a sentence; undefined when it can. */
  readonly problem: Problem;
  /** The value in effect: what was set and checked, else the default. */
  readonly resolve: (input: unknown, given: Given) => Value;
};

type Fallback<Value> = Value | ((given: Given) => Value);

/** A setting with a default. */
export function setting<const S extends TSchema>(
  row: Row<S> & { readonly fallback: Fallback<StaticEncode<S>> },
): Setting<StaticEncode<S>> {
  const { fallback, ...rest } = row;
  return settingOf(rest, (input, given) => input ?? fallbackOf(fallback, given));
}

/** A setting that may be absent. */
export function optionalSetting<const S extends TSchema>(row: Row<S>): Setting<StaticEncode<S> | undefined> {
  return settingOf(row, (input) => input);
}

/** A setting whose value is a list, which nobody changes afterwards. */
export function listSetting<const S extends TSchema>(
  row: Row<TArray<S>> & { readonly fallback: Fallback<readonly StaticEncode<S>[]> },
): Setting<readonly StaticEncode<S>[]> {
  const { fallback, ...rest } = row;
  return settingOf<TArray<S>, readonly StaticEncode<S>[]>(rest, (input, given) => {
    const list: readonly StaticEncode<S>[] = input ?? fallbackOf(fallback, given);
    return Object.freeze([...list]);
  });
}

/** A setting whose value is made of what was set. */
export function settingOf<const S extends TSchema, Value>(
  row: Row<S>,
  resolve: (input: StaticEncode<S> | undefined, given: Given) => Value,
): Setting<Value> {
  const validator = Compile(row.schema);
  return {
    ...row,
    problem: (name, value) => {
      if (validator.Check(value)) return row.problem?.(name, value);
      const reason = placedMessages(validator.Errors(value))
        .map(({ pointer, message }) => (pointer === "" ? message : `${pointer} ${message}`))
        .join(", ");
      const shown = row.isSecret === true ? "the value" : inspect(value, { depth: 2, maxStringLength: 200 });
      return `"${name}": ${shown} cannot be used: ${reason}`;
    },
    resolve: (input, given) => resolve(input === undefined ? undefined : validator.Parse(input), given),
  };
}

function fallbackOf<Value>(fallback: Fallback<Value>, given: Given): Value {
  return isFunction(fallback) ? fallback(given) : fallback;
}

function isFunction<Value>(fallback: Fallback<Value>): fallback is (given: Given) => Value {
  return typeof fallback === "function";
}
