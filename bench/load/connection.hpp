#pragma once
#include <arpa/inet.h>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "options.hpp"
#include "process-times.hpp"

enum class Opcode : unsigned char { text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

// A client's frame with a mask of zeros, so that its payload can be written in place.
inline std::string clientFrame(Opcode opcode, const std::string& payload) {
  std::string frame;
  frame += static_cast<char>(0x80 | static_cast<unsigned char>(opcode));
  const size_t size = payload.size();
  if (size < 126) {
    frame += static_cast<char>(0x80 | size);
  } else {
    frame += static_cast<char>(0x80 | 126);
    frame += static_cast<char>(size >> 8);
    frame += static_cast<char>(size);
  }
  frame.append(4, '\0');
  return frame + payload;
}

inline std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
  return text;
}

// One WebSocket connection to the server: TCP, upgrade, then its script's steps, then it is ready.
class Connection {
 public:
  enum class State { idle, connecting, upgrading, stepping, ready, closed };

  // What happens on a connection, told to its owner.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void onReady(Connection& connection) = 0;
    virtual void onClosed(Connection& connection) = 0;
    virtual void onPayload(Connection& connection, const char* payload, size_t size) = 0;
  };

  Connection(int number, bool isPublisher, const Options& options, int poll, Listener& listener)
      : number(number), isPublisher(isPublisher), options_(options), poll_(poll), listener_(listener) {}

  const int number;
  const bool isPublisher;
  std::vector<int> channels;
  State state = State::idle;
  uint64_t openedNs = 0;
  uint64_t frames = 0;
  uint64_t lastOffset = 0;

  void open() {
    state = State::connecting;
    openedNs = nowNs();
    socket_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (options_.sources > 1) {
      sockaddr_in source = addressOf(1 + number % options_.sources, 0);
      bind(socket_, reinterpret_cast<sockaddr*>(&source), sizeof source);
    }
    sockaddr_in server = addressOf(1, options_.port);
    connect(socket_, reinterpret_cast<sockaddr*>(&server), sizeof server);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT;
    event.data.ptr = this;
    epoll_ctl(poll_, EPOLL_CTL_ADD, socket_, &event);
  }

  void send(Opcode opcode, const std::string& payload) {
    const std::string frame = clientFrame(opcode, payload);
    write(frame.data(), frame.size());
  }

  void write(const char* data, size_t size) {
    if (!unsent_.empty()) {
      unsent_.append(data, size);
      return;
    }
    const ssize_t sent = ::send(socket_, data, size, MSG_NOSIGNAL);
    const size_t done = sent < 0 ? 0 : static_cast<size_t>(sent);
    if (done == size) return;
    unsent_.assign(data + done, size - done);
    await(true);
  }

  void onEvents(uint32_t events) {
    if (state == State::connecting) {
      if ((events & (EPOLLERR | EPOLLHUP)) != 0) return close();
      if ((events & EPOLLOUT) != 0) upgrade();
      return;
    }
    if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) read();
    if (state != State::closed && (events & EPOLLOUT) != 0) flush();
  }

 private:
  static sockaddr_in addressOf(int host, int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    inet_pton(AF_INET, ("127.0.0." + std::to_string(host)).c_str(), &address.sin_addr);
    return address;
  }

  void await(bool isWriting) {
    epoll_event event{};
    event.events = EPOLLIN | (isWriting ? static_cast<uint32_t>(EPOLLOUT) : 0u);
    event.data.ptr = this;
    epoll_ctl(poll_, EPOLL_CTL_MOD, socket_, &event);
  }

  void upgrade() {
    state = State::upgrading;
    const std::string subprotocol =
        options_.subprotocol.empty() ? "" : "Sec-WebSocket-Protocol: " + options_.subprotocol + "\r\n";
    const std::string request =
        "GET " + (isPublisher ? options_.publisherPath : options_.memberPath) +
        " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(options_.port) +
        "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n" + subprotocol + "\r\n";
    await(false);
    write(request.data(), request.size());
  }

  void flush() {
    const ssize_t sent = ::send(socket_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (sent > 0) unsent_.erase(0, static_cast<size_t>(sent));
    if (unsent_.empty()) await(false);
  }

  void close() {
    ::close(socket_);
    const State before = state;
    state = State::closed;
    wasReady = before == State::ready;
    listener_.onClosed(*this);
  }

  void read() {
    static char received[1 << 18];
    const ssize_t size = recv(socket_, received, sizeof received, 0);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) return close();
    if (unread_.empty()) {
      const size_t used = consume(received, static_cast<size_t>(size));
      if (state != State::closed) unread_.assign(received + used, static_cast<size_t>(size) - used);
      return;
    }
    unread_.append(received, static_cast<size_t>(size));
    const size_t used = consume(unread_.data(), unread_.size());
    unread_.erase(0, used);
  }

  // Returns how much of the data is done with.
  size_t consume(const char* data, size_t size) {
    if (state != State::upgrading) return consumeFrames(data, size);
    const char* end = static_cast<const char*>(memmem(data, size, "\r\n\r\n", 4));
    if (end == nullptr) return 0;
    if (size < 12 || memcmp(data + 9, "101", 3) != 0) {
      fprintf(stderr, "not upgraded: %.*s\n", static_cast<int>(size > 300 ? 300 : size), data);
      close();
      return size;
    }
    state = State::stepping;
    runSteps();
    const size_t head = static_cast<size_t>(end + 4 - data);
    return head + consumeFrames(data + head, size - head);
  }

  size_t consumeFrames(const char* data, size_t size) {
    size_t used = 0;
    while (size - used >= 2 && state != State::closed) {
      const unsigned char* bytes = reinterpret_cast<const unsigned char*>(data) + used;
      uint64_t length = bytes[1] & 127;
      size_t head = 2;
      if (length == 126) {
        if (size - used < 4) break;
        length = static_cast<uint64_t>(bytes[2]) << 8 | bytes[3];
        head = 4;
      } else if (length == 127) {
        if (size - used < 10) break;
        length = 0;
        for (int index = 2; index < 10; index += 1) length = length << 8 | bytes[index];
        head = 10;
      }
      if (size - used < head + length) break;
      onFrame(static_cast<Opcode>(bytes[0] & 15), data + used + head, length);
      used += head + length;
    }
    return used;
  }

  void onFrame(Opcode opcode, const char* payload, size_t size) {
    if (opcode == Opcode::ping) return send(Opcode::pong, std::string(payload, size));
    if (opcode == Opcode::close || opcode == Opcode::pong) return;
    if (options_.engineIo && size == 1 && *payload == '2') return send(Opcode::text, "3");
    if (options_.nats && size >= 6 && memcmp(payload, "PING\r\n", 6) == 0) {
      send(Opcode::binary, "PONG\r\n");
    }
    if (state == State::ready) {
      frames += 1;
      listener_.onPayload(*this, payload, size);
      return;
    }
    const std::string& wanted = steps()[step_].text;
    if (memmem(payload, size, wanted.data(), wanted.size()) == nullptr) return;
    step_ += 1;
    runSteps();
  }

  const std::vector<Step>& steps() const {
    return isPublisher ? options_.publisherSteps : options_.memberSteps;
  }

  void runSteps() {
    for (; step_ < steps().size() && steps()[step_].kind != Step::Kind::waitFor; step_ += 1) {
      const Step& step = steps()[step_];
      std::string text = step.text;
      for (size_t index = 0; index < channels.size(); index += 1) {
        text = replaced(text, "{" + std::to_string(index) + "}", std::to_string(channels[index]));
      }
      send(step.kind == Step::Kind::sendText ? Opcode::text : Opcode::binary, text);
    }
    if (step_ < steps().size()) return;
    state = State::ready;
    listener_.onReady(*this);
  }

 public:
  bool wasReady = false;

 private:
  const Options& options_;
  const int poll_;
  Listener& listener_;
  int socket_ = -1;
  size_t step_ = 0;
  std::string unsent_;
  std::string unread_;
};
