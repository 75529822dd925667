# The files of the console become a source of the storey app, by cmake alone: no other tool is needed to build KVS.
file(GLOB console_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/app/ui/*)
set(console_source ${PROJECT_BINARY_DIR}/console_bytes.cc)
add_custom_command(
  OUTPUT ${console_source}
  COMMAND ${CMAKE_COMMAND} -D "FOLDER=${PROJECT_SOURCE_DIR}/src/app/ui" -D "OUTPUT=${console_source}"
          -P ${PROJECT_SOURCE_DIR}/cmake/embed_console.cmake
  DEPENDS ${console_files} ${PROJECT_SOURCE_DIR}/cmake/embed_console.cmake
  VERBATIM)
target_sources(kvs_app PRIVATE ${console_source})
