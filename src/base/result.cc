#include "base/result.h"

namespace kvs {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::invalid_key:
      return "invalid_key";
    case Errc::invalid_json:
      return "invalid_json";
    case Errc::invalid_query:
      return "invalid_query";
    case Errc::bad_request:
      return "bad_request";
    case Errc::not_found:
      return "not_found";
    case Errc::method_not_allowed:
      return "method_not_allowed";
    case Errc::id_in_use:
      return "id_in_use";
    case Errc::cluster_mismatch:
      return "cluster_mismatch";
    case Errc::length_required:
      return "length_required";
    case Errc::value_too_large:
      return "value_too_large";
    case Errc::key_too_large:
      return "key_too_large";
    case Errc::headers_too_large:
      return "headers_too_large";
    case Errc::version_mismatch:
      return "version_mismatch";
    case Errc::unsupported_media_type:
      return "unsupported_media_type";
    case Errc::request_timeout:
      return "request_timeout";
    case Errc::expectation_failed:
      return "expectation_failed";
    case Errc::not_implemented:
      return "not_implemented";
    case Errc::http_version_not_supported:
      return "http_version_not_supported";
    case Errc::read_only:
      return "read_only";
    case Errc::syncing:
      return "syncing";
    case Errc::overloaded:
      return "overloaded";
    case Errc::shutting_down:
      return "shutting_down";
    case Errc::disk_full:
      return "disk_full";
    case Errc::ttl_unsupported:
      return "ttl_unsupported";
    case Errc::corrupt_data:
      return "corrupt_data";
    case Errc::io_error:
      return "io_error";
    case Errc::invalid_config:
      return "invalid_config";
    case Errc::data_dir_unusable:
      return "data_dir_unusable";
    case Errc::format_too_new:
      return "format_too_new";
    case Errc::address_unusable:
      return "address_unusable";
  }
  return "unknown";
}

}  // namespace kvs
