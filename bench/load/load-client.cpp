// A load client: opens WebSocket connections to a server on this machine, publishes, and counts what arrives.
// Messages carry the time at which they were sent. One thread; prints one line of JSON for each report.
#include <poll.h>
#include <sys/resource.h>

#include <deque>

#include "connection.hpp"
#include "histogram.hpp"

// Added to every time, so that it always has 16 digits.
static constexpr uint64_t kTimeBase = 1000000000000000ull;
static constexpr uint64_t kSecond = 1000000000ull;
// Publishes that were lost would hold the others up for good: after this, count anew.
static constexpr uint64_t kStallNs = kSecond / 2;

class LoadClient : public Connection::Listener {
 public:
  explicit LoadClient(const Options& options)
      : options_(options),
        poll_(epoll_create1(0)),
        total_(options.members + (options.connectOnly ? 0 : options.publishers)) {
    for (int number = 0; number < total_; number += 1) {
      const bool isPublisher = number >= options.members;
      connections_.emplace_back(number, isPublisher, options_, poll_, *this);
      if (isPublisher) publishers_.push_back(&connections_.back());
      else connections_.back().channels = nextChannels(number);
    }
  }

  bool connect() {
    const uint64_t beganNs = nowNs();
    const double beganProcessor = processorSeconds(options_.serverPids);
    while (settled_ < total_) {
      while (started_ < total_ && started_ - settled_ < options_.connectingAtOnce) {
        connections_[static_cast<size_t>(started_)].open();
        started_ += 1;
      }
      pump(100);
      if (nowNs() - beganNs > 120 * kSecond) break;
    }
    const double seconds = static_cast<double>(nowNs() - beganNs) / 1e9;
    const double processor = processorSeconds(options_.serverPids) - beganProcessor;
    printf("{\"phase\":\"connected\",\"ready\":%d,\"failed\":%d,\"seconds\":%.3f,\"serverSeconds\":%.3f,"
           "\"p50Us\":%.0f,\"p99Us\":%.0f}\n",
           ready_, total_ - ready_, seconds, processor, connecting_.quantileUs(.5), connecting_.quantileUs(.99));
    fflush(stdout);
    return ready_ == total_;
  }

  // Until whoever started this closes the input.
  void hold() {
    pollfd input{0, POLLIN, 0};
    for (;;) {
      pump(100);
      if (::poll(&input, 1, 0) <= 0) continue;
      char ignored[64];
      if (read(0, ignored, sizeof ignored) <= 0) break;
    }
    printf("{\"phase\":\"held\",\"closed\":%d}\n", closed_);
  }

  void run() {
    prepareMessages();
    const uint64_t beganNs = nowNs();
    uint64_t measureNs = beganNs + nanoseconds(options_.warmSeconds);
    const uint64_t endNs = measureNs + nanoseconds(options_.seconds);
    uint64_t reportNs = options_.reportSeconds > 0 ? measureNs + nanoseconds(options_.reportSeconds) : endNs;
    nextPublishNs_ = lastProgressNs_ = beganNs;
    for (;;) {
      const uint64_t now = nowNs();
      if (!isMeasuring_ && now >= measureNs) beginReport(now);
      if (isMeasuring_ && now >= reportNs) {
        report(now);
        if (now >= endNs || ready_ == 0) return;
        beginReport(now);
        reportNs = std::min(endNs, reportNs + nanoseconds(options_.reportSeconds));
      }
      if (options_.ratePerSecond > 0) publishOnSchedule(now);
      else publishInFlight();
    }
  }

 private:
  static uint64_t nanoseconds(double seconds) { return static_cast<uint64_t>(seconds * 1e9); }

  void pump(int timeoutMs) {
    const int count = epoll_wait(poll_, events_, kEvents, timeoutMs);
    for (int index = 0; index < count; index += 1) {
      auto* connection = static_cast<Connection*>(events_[index].data.ptr);
      if (connection->state == Connection::State::closed) continue;
      receivedNs_ = nowNs();
      connection->onEvents(events_[index].events);
    }
  }

  void onReady(Connection& connection) override {
    ready_ += 1;
    settled_ += 1;
    connecting_.add(nowNs() - connection.openedNs);
  }

  void onClosed(Connection& connection) override {
    if (!connection.wasReady) {
      settled_ += 1;
      return;
    }
    closed_ += 1;
    ready_ -= 1;
  }

  void onPayload(Connection& connection, const char* payload, size_t size) override {
    if (connection.isPublisher) return;
    const char* const end = payload + size;
    const char* at = payload;
    while ((at = static_cast<const char*>(memmem(at, static_cast<size_t>(end - at), "\"t\":", 4))) != nullptr) {
      at += 4;
      uint64_t sent = 0;
      while (at < end && *at >= '0' && *at <= '9') sent = sent * 10 + static_cast<uint64_t>(*at++ - '0');
      deliveries_ += 1;
      if (isMeasuring_ && sent > kTimeBase) latency_.add(receivedNs_ - std::min(receivedNs_, sent - kTimeBase));
      if (options_.engineIo) {
        if (options_.checkOffsets) checkOffset(connection, payload, end);
        return;
      }
    }
  }

  // A message ends with `"offset":123}]`.
  void checkOffset(Connection& connection, const char* begin, const char* end) {
    uint64_t offset = 0;
    uint64_t power = 1;
    const char* at = end - 3;
    for (; at > begin && *at >= '0' && *at <= '9'; at -= 1, power *= 10) {
      offset += power * static_cast<uint64_t>(*at - '0');
    }
    const bool isOffset = at - begin >= 9 && memcmp(at - 8, "\"offset\":", 9) == 0;
    if (!isOffset || (connection.lastOffset != 0 && offset != connection.lastOffset + 1)) offsetFaults_ += 1;
    connection.lastOffset = offset;
  }

  // Each run of as many members as there are channels is `each` shifted copies of the channels.
  std::vector<int> nextChannels(int number) {
    if (number % options_.channels == 0) {
      std::vector<std::pair<uint32_t, int>> drawn;
      for (int shift = 0; shift < options_.channels; shift += 1) {
        random_ = random_ * 1664525u + 1013904223u;
        drawn.emplace_back(random_ >> 8, shift);
      }
      std::sort(drawn.begin(), drawn.end());
      shifts_.clear();
      for (int index = 0; index < options_.each; index += 1) shifts_.push_back(drawn[static_cast<size_t>(index)].second);
    }
    std::vector<int> channels;
    for (const int shift : shifts_) channels.push_back((number + shift) % options_.channels);
    return channels;
  }

  struct Message {
    std::string frame;
    size_t timeAt;
    size_t idAt;
  };

  void prepareMessages() {
    static const std::string kId = "9999999999999999";
    std::string body = "{\"t\":0000000000000000,\"d\":\"";
    while (static_cast<int>(body.size()) < options_.messageBytes - 2) body += 'x';
    body += "\"}";
    for (int channel = 0; channel < options_.channels; channel += 1) {
      std::string text = options_.publishPrefix + body + options_.publishSuffix;
      text = replaced(replaced(text, "{channel}", std::to_string(channel)), "{id}", kId);
      const std::string frame = clientFrame(options_.publishBinary ? Opcode::binary : Opcode::text, text);
      messages_.push_back({frame, frame.find(body) + 5, frame.find(kId)});
    }
  }

  static void writeDigits(Message& message, size_t at, uint64_t value) {
    char digits[24];
    snprintf(digits, sizeof digits, "%016llu", static_cast<unsigned long long>(kTimeBase + value));
    memcpy(&message.frame[at], digits, 16);
  }

  void publish(uint64_t sentNs) {
    Message& message = messages_[published_ % messages_.size()];
    writeDigits(message, message.timeAt, sentNs);
    if (message.idAt != std::string::npos) writeDigits(message, message.idAt, published_);
    Connection& publisher = *publishers_[published_ % publishers_.size()];
    published_ += 1;
    if (publisher.state == Connection::State::ready) publisher.write(message.frame.data(), message.frame.size());
  }

  // Each publish carries the time at which it was due, so that waiting to be sent counts.
  void publishOnSchedule(uint64_t now) {
    const uint64_t stepNs = nanoseconds(1 / options_.ratePerSecond);
    for (int count = 0; nextPublishNs_ <= now && count < 256; count += 1) {
      publish(nextPublishNs_);
      nextPublishNs_ += stepNs;
    }
    const uint64_t later = nowNs();
    pump(nextPublishNs_ > later ? static_cast<int>(std::min<uint64_t>((nextPublishNs_ - later) / 1000000, 50)) : 0);
  }

  void publishInFlight() {
    const uint64_t reach = static_cast<uint64_t>(options_.members * options_.each / options_.channels);
    const uint64_t completed = (deliveries_ - countedDeliveries_) / reach;
    while (published_ - countedPublished_ - completed < static_cast<uint64_t>(options_.inFlight)) publish(nowNs());
    const uint64_t before = deliveries_;
    pump(0);
    const uint64_t now = nowNs();
    if (deliveries_ != before) {
      lastProgressNs_ = now;
    } else if (now - lastProgressNs_ > kStallNs) {
      stalls_ += 1;
      countedPublished_ = published_;
      countedDeliveries_ = deliveries_;
      lastProgressNs_ = now;
    }
  }

  void beginReport(uint64_t now) {
    isMeasuring_ = true;
    reportBeganNs_ = now;
    reportDeliveries_ = deliveries_;
    reportPublished_ = published_;
    reportServer_ = processorSeconds(options_.serverPids);
    reportOwn_ = ownSeconds();
    latency_.clear();
  }

  void report(uint64_t now) {
    const double seconds = static_cast<double>(now - reportBeganNs_) / 1e9;
    const double server = processorSeconds(options_.serverPids) - reportServer_;
    const double delivered = static_cast<double>(deliveries_ - reportDeliveries_);
    printf("{\"phase\":\"measured\",\"deliveriesPerSecond\":%.0f,\"deliveriesPerServerSecond\":%.0f,"
           "\"publishesPerSecond\":%.1f,\"serverLoad\":%.3f,\"clientLoad\":%.3f,\"p50Us\":%.0f,\"p99Us\":%.0f,"
           "\"maxUs\":%.0f,\"ready\":%d,\"closed\":%d,\"stalls\":%d,\"offsetFaults\":%llu,\"behindMs\":%.0f}\n",
           delivered / seconds, server > 0 ? delivered / server : 0,
           static_cast<double>(published_ - reportPublished_) / seconds, server / seconds,
           (ownSeconds() - reportOwn_) / seconds, latency_.quantileUs(.5), latency_.quantileUs(.99),
           latency_.maxUs(), ready_, closed_, stalls_, static_cast<unsigned long long>(offsetFaults_),
           options_.ratePerSecond > 0 && now > nextPublishNs_ ? static_cast<double>(now - nextPublishNs_) / 1e6 : 0.0);
    fflush(stdout);
  }

  static double ownSeconds() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  }

  static constexpr int kEvents = 256;
  const Options options_;
  const int poll_;
  const int total_;
  std::deque<Connection> connections_;
  std::vector<Connection*> publishers_;
  epoll_event events_[kEvents];
  Histogram connecting_;
  Histogram latency_;
  std::vector<Message> messages_;
  uint32_t random_ = 1;
  std::vector<int> shifts_;
  int started_ = 0;
  int ready_ = 0;
  int settled_ = 0;
  int closed_ = 0;
  int stalls_ = 0;
  bool isMeasuring_ = false;
  uint64_t receivedNs_ = 0;
  uint64_t deliveries_ = 0;
  uint64_t published_ = 0;
  uint64_t offsetFaults_ = 0;
  uint64_t nextPublishNs_ = 0;
  uint64_t lastProgressNs_ = 0;
  uint64_t countedPublished_ = 0;
  uint64_t countedDeliveries_ = 0;
  uint64_t reportBeganNs_ = 0;
  uint64_t reportDeliveries_ = 0;
  uint64_t reportPublished_ = 0;
  double reportServer_ = 0;
  double reportOwn_ = 0;
};

int main(int count, char** values) {
  const Options options = parseOptions(count, values);
  LoadClient client(options);
  if (!client.connect()) return 4;
  if (options.connectOnly) client.hold();
  else client.run();
  return 0;
}
