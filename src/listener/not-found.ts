import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

type Answer = (request: FastifyRequest, reply: FastifyReply) => FastifyReply | Promise<FastifyReply>;

/** By the scope that they were set in. */
const answers = new WeakMap<object, Answer>();

/** Says what is answered to requests that no route of this scope takes. */
export function answerNotFound(scope: FastifyInstance, answer: Answer): void {
  scope.setNotFoundHandler(answer);
  answers.set(scope, answer);
}

/**
 * Answers what no route takes by its head. Fastify reads the body first, up to its limit, and asks nobody for a key: thousands of
 * connections that send most of one would hold gigabytes. To be called before other hooks of the scopes, and after those
 * that an answer needs.
 */
export function refuseUnread(app: FastifyInstance): void {
  app.addHook("onRequest", (request, reply, done) => {
    const answer = request.is404 ? answers.get(request.server) : undefined;
    if (answer === undefined) done();
    else Promise.resolve(answer(request, reply)).catch(done);
  });
}
