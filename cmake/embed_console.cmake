# cmake -D FOLDER=... -D OUTPUT=... -P embed_console.cmake: writes all files of FOLDER into OUTPUT as the table behind
# src/app/console_files.h. index.html is the page itself and has no name. ETags are hashes of the contents.
set(type_html "text/html; charset=utf-8")
set(type_css "text/css; charset=utf-8")
set(type_js "text/javascript; charset=utf-8")
set(type_svg "image/svg+xml")

file(GLOB files RELATIVE ${FOLDER} ${FOLDER}/*)
list(SORT files)
list(REMOVE_ITEM files index.html)
list(PREPEND files index.html)

set(arrays "")
set(rows "")
set(number 0)
foreach(file ${files})
  string(REGEX MATCH "[a-z]+$" suffix ${file})
  if(NOT type_${suffix})
    message(FATAL_ERROR "${FOLDER}/${file}: no content type is known for it (cmake/embed_console.cmake)")
  endif()
  file(READ ${FOLDER}/${file} bytes HEX)
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${bytes}")
  file(SHA256 ${FOLDER}/${file} hash)
  string(SUBSTRING ${hash} 0 32 hash)
  set(name ${file})
  if(file STREQUAL "index.html")
    set(name "")
  endif()
  string(APPEND arrays "constexpr char kFile${number}[] = {${bytes}};\n")
  string(APPEND rows "    {.name = \"${name}\", .content_type = \"${type_${suffix}}\",\n"
         "     .etag = \"\\\"${hash}\\\"\", .bytes = {kFile${number}, sizeof kFile${number}}},\n")
  math(EXPR number "${number} + 1")
endforeach()

file(WRITE ${OUTPUT} "// Written by cmake/embed_console.cmake.
#include \"app/console_files.h\"

namespace kvs {

namespace {

${arrays}
constexpr ConsoleFile kFiles[] = {
${rows}};

}  // namespace

std::span<const ConsoleFile> console_files() {
  return kFiles;
}

}  // namespace kvs
")
