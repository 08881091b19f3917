/** What the check of speed needs besides npm packages: a compiler for its load client. */
import { inPath, provide } from "./debian-packages.mjs";

provide([{ what: "g++", file: inPath("g++"), packages: ["g++"], users: "the check of speed" }]);
