import { Type } from "typebox";
import { Compile } from "typebox/compile";

/** What Sluice answers to a case; a peer gives the same. Without what Node writes of itself (date, connection). */
export const AnswerSchema = Type.Object({
  name: Type.String(),
  method: Type.String(),
  path: Type.String(),
  status: Type.Number(),
  headers: Type.Array(Type.Tuple([Type.String(), Type.String()])),
  body: Type.String(),
});
export const Answers = Compile(Type.Array(AnswerSchema));
export type Answer = ReturnType<typeof Answers.Parse>[number];

/** What a server in a process of its own is told: its kind, the secret that is a key's, and what to answer. */
export const Task = Compile(
  Type.Object({
    kind: Type.String(),
    adminToken: Type.String(),
    secret: Type.String(),
    answers: Type.Array(AnswerSchema),
    /** The folder of Express, where the kind needs it. */
    modules: Type.Optional(Type.String()),
  }),
);
export type Task = ReturnType<typeof Task.Parse>;
