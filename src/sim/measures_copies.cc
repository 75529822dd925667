// How often a node is sent a write, at sizes at which whole nodes would not fit: the outbox and the
// ring of each member, one after the other, on the list that all of them have.
#include <algorithm>
#include <charconv>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"
#include "core/outbox.h"
#include "sim/disk.h"
#include "sim/measures.h"
#include "wire/record_codec.h"

namespace kvs {

namespace {

constexpr std::string_view kKey = "copies";

/// A push on its way, and how many hops it is from the origin.
struct Delivery {
  std::size_t to = 0;
  std::shared_ptr<const PeerRequest> request;
  std::uint32_t hops = 0;
};

class Copies {
 public:
  explicit Copies(std::uint32_t members) : view_(std::make_shared<View>()), received_(members) {
    Prng prng(members);
    for (std::uint32_t i = 0; i < members; ++i) {
      view_->members.push_back({.instance = Instance{prng.next() | 1U}});
    }
    std::ranges::sort(view_->members, {}, &Member::instance);
    for (std::uint32_t i = 0; i < members; ++i) {
      view_->members[i].address = std::to_string(i);
    }
    std::string bytes;
    encode_record(Key::from_store(kKey), {.header = header_, .value = "1"}, bytes);
    disk_.replace({.table = {{std::string(kKey), bytes}}, .log = {}});
    KVS_CHECK(disk_.open(), "a folder with one record opens");
  }

  /// The first member writes; runs until nothing is on its way any more.
  void run() {
    pass_on(0, {}, 0);
    while (!deliveries_.empty()) {
      const Delivery next = deliveries_.front();
      deliveries_.pop_front();
      ++received_.at(next.to);
      depth_ = std::max(depth_, next.hops);
      if (const auto& stretch = std::get<Push>(*next.request).stretch) {
        pass_on(next.to, stretch, next.hops);
      }
    }
  }

  [[nodiscard]] const std::vector<std::uint32_t>& received() const { return received_; }

  [[nodiscard]] std::uint32_t depth() const { return depth_; }

 private:
  /// What the outbox of this member sends: its own write, or one that it got for a stretch.
  void pass_on(std::size_t member, const std::optional<RingStretch>& stretch, std::uint32_t hops) {
    view_->self = view_->members[member].instance;
    Outbox outbox({}, disk_);
    outbox.set_view(view_);
    const Change change{.path = std::string(kKey),
                        .before = {},
                        .after = header_,
                        .cause = stretch ? Change::Cause::push : Change::Cause::client,
                        .replaced = {},
                        .learnt = {}};
    Effects effects;
    if (stretch) {
      outbox.forward(*stretch, {&change, 1});
    } else {
      outbox.add({&change, 1});
    }
    outbox.flush({}, effects);
    for (const PeerSend& send : effects.sends) {
      std::size_t to = 0;
      std::from_chars(send.address.data(), send.address.data() + send.address.size(), to);
      deliveries_.push_back({.to = to, .request = send.request, .hops = hops + 1});
    }
  }

  RecordHeader header_{.version = {.stamp = Stamp::from_ms(1),
                                   .verdict = {},
                                   .uuid = {.high = 1, .low = 1},
                                   .dot = {.origin = Origin{1}, .seq = 1}}};
  Disk disk_{1};
  std::shared_ptr<View> view_;
  std::vector<std::uint32_t> received_;
  std::deque<Delivery> deliveries_;
  std::uint32_t depth_ = 0;
};

}  // namespace

void measure_copies(const MeasureSize& size, const TakeFigure& take) {
  std::vector<std::uint32_t> sizes{16, 17, 100, 1000};
  if (size.nodes) {
    sizes = {*size.nodes};
  } else if (!size.quick) {
    sizes.push_back(10'000);
  }
  for (const std::uint32_t members : sizes) {
    Copies copies(members);
    copies.run();
    std::uint64_t sum = 0;
    bool once = copies.received().front() == 0;
    for (std::size_t i = 1; i < members; ++i) {
      sum += copies.received()[i];
      once = once && copies.received()[i] == 1;
    }
    take({.what = fmt::format("copies of a write that a member receives, of {}", members),
          .wanted = "1.00",
          .measured = fmt::format("{:.2f}, {} to each member; {} hops",
                                  static_cast<double>(sum) / (members - 1),
                                  once ? "exactly 1" : "not the same number", copies.depth()),
          .met = once ? Figure::Met::yes : Figure::Met::no});
  }
}

}  // namespace kvs
