#include "sim/meter.h"

#include <string_view>

#include "wire/http_write.h"
#include "wire/peer_bytes.h"
#include "wire/peer_codec.h"
#include "wire/peer_http.h"
#include "wire/peer_records.h"

namespace kvs {

namespace {

WireOptions options_for(Compression compression) {
  return {.peer_features =
              compression == Compression::as_nodes_do ? kFeatureZstd : std::uint64_t{0}};
}

}  // namespace

std::size_t bytes_on_wire(const PeerSend& send, Compression compression) {
  std::string out;
  append_peer_request(path_of(*send.request), send.address,
                      encode(send.envelope, *send.request, options_for(compression)), out);
  return out.size();
}

std::size_t bytes_on_wire(const PeerReply& reply, Compression compression) {
  std::string out;
  put_response(out, {.status = 200, .content_type = kPeerContentType, .fields = {}},
               encode(reply.envelope, reply.answer, options_for(compression)));
  return out.size();
}

std::size_t bytes_of_records(const std::vector<PeerRecord>& records) {
  std::string out;
  PeerWriter writer(out);
  put_records(writer, records);
  return out.size();
}

void Meter::count(std::uint32_t from, std::uint32_t to, std::size_t bytes) {
  nodes_.at(from).sent += bytes;
  nodes_.at(to).received += bytes;
}

void Meter::request_leaves(std::uint32_t from, std::uint32_t to, const PeerSend& send) {
  const std::size_t bytes = bytes_on_wire(send, compression_);
  by_request_[send.request->index()] += bytes;
  ++nodes_.at(from).calls;
  count(from, to, bytes);
}

void Meter::answer_leaves(std::uint32_t from, std::uint32_t to, const PeerReply& reply) {
  const std::size_t bytes = bytes_on_wire(reply, compression_);
  by_answer_[reply.answer.index()] += bytes;
  count(from, to, bytes);
}

std::uint64_t Meter::total() const {
  std::uint64_t bytes = 0;
  for (const Node& node : nodes_) {
    bytes += node.sent;
  }
  return bytes;
}

}  // namespace kvs
