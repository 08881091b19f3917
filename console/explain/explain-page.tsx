import { Paper, SimpleGrid, Stack, Text } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { useSearchParams } from "wouter";
import {
  type Asked,
  type FieldFaults,
  faultsOfError,
  faultsOfQuestion,
  useExplanation,
} from "../api/explain.ts";
import { type Question, queryOfQuestion, questionOf } from "../parts/explain-link.ts";
import { Failure } from "../parts/failure.tsx";
import { PageTitle } from "../parts/page-title.tsx";
import { ExplainAnswer } from "./explain-answer.tsx";
import { ExplainForm } from "./explain-form.tsx";

/** Asks about a request that nobody sends: would it be let in, and why. The address of the page is the question. */
export function ExplainPage() {
  const [params, setParams] = useSearchParams();
  const query = params.toString();
  const [question, setQuestion] = useState<Question>(() => questionOf(params));
  const [secret, setSecret] = useState("");
  const [asked, setAsked] = useState<Asked>();
  const [faults, setFaults] = useState<FieldFaults>({});
  const current = useRef({ secret, query: "" });
  current.current.secret = secret;
  const explanation = useExplanation(asked);
  const answer = useRef<HTMLDivElement>(null);
  const isNewlyAsked = useRef(false);
  // Below the form on a phone: whoever asked is to see that it came.
  useEffect(() => {
    if (!isNewlyAsked.current || explanation.isFetching) return;
    isNewlyAsked.current = false;
    answer.current?.scrollIntoView({ block: "nearest" });
  }, [explanation.isFetching]);

  // A link, or back and forward: what it asks is in the form and answered.
  useEffect(() => {
    const linked = { ...questionOf(new URLSearchParams(query)), secret: current.current.secret };
    setQuestion(linked);
    setFaults({});
    setAsked(Object.keys(faultsOfQuestion(linked)).length === 0 ? linked : undefined);
  }, [query]);

  const ask = (): void => {
    const next: Asked = { ...question, secret };
    const found = faultsOfQuestion(next);
    setFaults(found);
    if (Object.keys(found).length > 0) return;
    const nextQuery = queryOfQuestion(next);
    if (nextQuery.toString() !== query) setParams(nextQuery);
    setAsked(next);
    isNewlyAsked.current = true;
    void explanation.refetch();
  };
  const refused = faultsOfError(explanation.error);
  return (
    <Stack>
      <PageTitle>Why was it denied?</PageTitle>
      <Text c="dimmed" maw="46rem">
        Ask what the server decides about a request, without sending it: every check in order, what was
        compared, and what would mend it.
      </Text>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md" verticalSpacing="md" className="side-by-side">
        <Paper className="panel" p="md">
          <ExplainForm
            question={question}
            onChange={(change) => {
              setQuestion({ ...question, ...change });
              setFaults({});
            }}
            secret={secret}
            onSecret={setSecret}
            faults={{ ...refused, ...faults }}
            isBusy={explanation.isFetching}
            onSubmit={ask}
          />
        </Paper>
        <div aria-live="polite" ref={answer}>
          {asked === undefined ? (
            <Paper className="panel" p="md">
              <Text {...(question.code === "" ? { c: "dimmed" } : {})}>{beforeAnswer(question)}</Text>
            </Paper>
          ) : explanation.error !== null ? (
            <Failure
              error={
                refused === undefined
                  ? explanation.error
                  : new Error("The question has faults: see its fields.")
              }
              {...(refused === undefined ? { retry: () => void explanation.refetch() } : {})}
            />
          ) : (
            explanation.data !== undefined && (
              <ExplainAnswer
                asked={asked}
                explanation={explanation.data}
                isOld={!isSameQuestion(asked, { ...question, secret })}
              />
            )
          )}
        </div>
      </SimpleGrid>
    </Stack>
  );
}

function isSameQuestion(asked: Asked, now: Asked): boolean {
  return asked.secret === now.secret && String(queryOfQuestion(asked)) === String(queryOfQuestion(now));
}

/** What can be said before the question is whole: a refusal of somebody whose key is not known says no more. */
function beforeAnswer({ code, keyId }: Question): string {
  if (keyId !== "" || code === "") return "The answer comes here.";
  if (code === "missing_api_key") {
    return "The request came without an API key. Choose the key that it should have sent, to see whether it would be let in.";
  }
  if (code === "invalid_api_key") {
    return "The request came with a secret that belongs to no key: mistyped, rotated out or deleted. If you have it, choose “A secret” and paste it.";
  }
  return "It is not known whose request this was. Choose a key to see what it would be told.";
}
