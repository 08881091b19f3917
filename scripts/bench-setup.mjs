/** What the check of speed needs besides npm packages: a compiler for its load client. */
import { provide } from "./debian-packages.mjs";

provide([{ what: "g++", file: "/usr/bin/g++", packages: ["g++"], users: "the check of speed" }]);
