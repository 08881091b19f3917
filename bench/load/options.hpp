#pragma once
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

// One step of what a connection does before it counts as ready.
struct Step {
  enum class Kind { sendText, sendBinary, waitFor } kind;
  std::string text;
};

struct Options {
  int port = 0;
  std::string memberPath = "/";
  std::string publisherPath = "/";
  std::string subprotocol;
  std::vector<Step> memberSteps;
  std::vector<Step> publisherSteps;
  int members = 100;
  int publishers = 1;
  int connectingAtOnce = 50;
  // Source addresses 127.0.0.1 to 127.0.0.<sources>.
  int sources = 1;
  // Publishes in flight; not used with a rate.
  int inFlight = 1;
  // Publishes per second, on schedule whether or not the server keeps up.
  double ratePerSecond = 0;
  // Each member is in `each` of so many channels: `{0}`, `{1}` … in its steps are their numbers, and publishes, with
  // `{channel}` in the prefix, go round. Every channel has the same number of members.
  int channels = 1;
  int each = 1;
  double warmSeconds = 1;
  double seconds = 5;
  // Print what was seen every so often, and begin anew; 0: once, at the end.
  double reportSeconds = 0;
  int messageBytes = 100;
  // `{id}` in either is a number of 16 digits that never comes twice.
  std::string publishPrefix;
  std::string publishSuffix;
  bool publishBinary = false;
  // Answer Engine.IO's pings; one message is one frame.
  bool engineIo = false;
  // Answer NATS's PING; one frame may carry several messages.
  bool nats = false;
  // Sluice's offsets count up by one for each member.
  bool checkOffsets = false;
  // Open the connections, say how long that took, and hold them until the input ends.
  bool connectOnly = false;
  std::vector<int> serverPids;
};

inline Step parseStep(const std::string& text) {
  if (text.size() < 2 || text[1] != ':') {
    fprintf(stderr, "a step is S:text, B:text or W:text, not %s\n", text.c_str());
    exit(2);
  }
  const Step::Kind kind = text[0] == 'S'   ? Step::Kind::sendText
                          : text[0] == 'B' ? Step::Kind::sendBinary
                                           : Step::Kind::waitFor;
  return {kind, text.substr(2)};
}

inline Options parseOptions(int count, char** values) {
  Options options;
  for (int index = 1; index < count; index += 1) {
    const std::string name = values[index];
    const auto text = [&]() -> std::string {
      index += 1;
      if (index < count) return values[index];
      fprintf(stderr, "%s needs a value\n", name.c_str());
      exit(2);
    };
    const auto integer = [&] { return atoi(text().c_str()); };
    const auto number = [&] { return atof(text().c_str()); };
    if (name == "--port") options.port = integer();
    else if (name == "--path") options.memberPath = options.publisherPath = text();
    else if (name == "--publisher-path") options.publisherPath = text();
    else if (name == "--subprotocol") options.subprotocol = text();
    else if (name == "--member-step") options.memberSteps.push_back(parseStep(text()));
    else if (name == "--publisher-step") options.publisherSteps.push_back(parseStep(text()));
    else if (name == "--members") options.members = integer();
    else if (name == "--publishers") options.publishers = integer();
    else if (name == "--connecting") options.connectingAtOnce = integer();
    else if (name == "--sources") options.sources = integer();
    else if (name == "--in-flight") options.inFlight = integer();
    else if (name == "--rate") options.ratePerSecond = number();
    else if (name == "--channels") options.channels = integer();
    else if (name == "--each") options.each = integer();
    else if (name == "--warm") options.warmSeconds = number();
    else if (name == "--seconds") options.seconds = number();
    else if (name == "--report") options.reportSeconds = number();
    else if (name == "--bytes") options.messageBytes = integer();
    else if (name == "--prefix") options.publishPrefix = text();
    else if (name == "--suffix") options.publishSuffix = text();
    else if (name == "--binary") options.publishBinary = true;
    else if (name == "--engine-io") options.engineIo = true;
    else if (name == "--nats") options.nats = true;
    else if (name == "--check-offsets") options.checkOffsets = true;
    else if (name == "--connect-only") options.connectOnly = true;
    else if (name == "--pid") options.serverPids.push_back(integer());
    else {
      fprintf(stderr, "unknown option %s\n", name.c_str());
      exit(2);
    }
  }
  return options;
}
