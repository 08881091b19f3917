#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

// Counts of durations in logarithmic buckets, each within 1.6 % of what was counted.
class Histogram {
 public:
  void add(uint64_t nanoseconds) {
    const size_t bucket = bucketOf(nanoseconds);
    counts_[std::min(bucket, counts_.size() - 1)] += 1;
    count_ += 1;
    max_ = std::max(max_, nanoseconds);
  }

  // The duration below which this share lies, in microseconds; 0 of none.
  double quantileUs(double share) const {
    const uint64_t rank = static_cast<uint64_t>(share * static_cast<double>(count_));
    uint64_t seen = 0;
    for (size_t bucket = 0; bucket < counts_.size(); bucket += 1) {
      seen += counts_[bucket];
      if (seen > rank) return static_cast<double>(lowerBound(bucket)) / 1e3;
    }
    return static_cast<double>(max_) / 1e3;
  }

  double maxUs() const { return static_cast<double>(max_) / 1e3; }

  void clear() {
    std::fill(counts_.begin(), counts_.end(), 0);
    count_ = 0;
    max_ = 0;
  }

 private:
  static constexpr size_t kSteps = 64;
  static constexpr size_t kPowers = 44;

  static size_t bucketOf(uint64_t value) {
    if (value < kSteps) return value;
    const int shift = 63 - __builtin_clzll(value) - 6;
    return kSteps * static_cast<size_t>(shift + 1) + ((value >> shift) & (kSteps - 1));
  }

  static uint64_t lowerBound(size_t bucket) {
    if (bucket < kSteps) return bucket;
    return (kSteps + bucket % kSteps) << (bucket / kSteps - 1);
  }

  std::vector<uint64_t> counts_ = std::vector<uint64_t>(kSteps * kPowers, 0);
  uint64_t count_ = 0;
  uint64_t max_ = 0;
};
