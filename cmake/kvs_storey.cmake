# A storey of the house = src/NAME = one static library kvs_NAME, plus one test program kvs_NAME_test
# made of the *_test.cc files beside the rooms. A storey links only the storeys it LOOKS_AT, so an include
# upwards does not compile. PURE storeys are compiled without exceptions.
# A storey's main*.cc is not part of its library; kvs_program() makes a program of it.

add_library(kvs_options INTERFACE)
target_compile_options(kvs_options INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                       -Wold-style-cast -Wnon-virtual-dtor
                       -Wno-missing-field-initializers $<$<BOOL:${KVS_WERROR}>:-Werror>)
target_compile_definitions(kvs_options INTERFACE KVS_VERSION="${PROJECT_VERSION}"
                           $<$<BOOL:${KVS_SIM_BUILD}>:KVS_SIM_BUILD=1>)

# What nearly every source reads, parsed once. Only where KVS_PCH asks for it: other builds prove that each
# source includes what it uses.
set(KVS_COMMON_HEADERS <algorithm> <deque> <expected> <functional> <map> <memory> <optional> <ranges> <set>
    <span> <string> <string_view> <utility> <variant> <vector> <fmt/format.h>)

function(kvs_precompile target)
  if(KVS_PCH)
    target_precompile_headers(${target} PRIVATE ${KVS_COMMON_HEADERS} ${ARGN})
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>)
  endif()
endfunction()

# Compiles sources by the half-dozen, as one: less is parsed and more inlined at once. Only where KVS_UNITY asks for it
# (./test does): other builds prove that each source stands alone. What the unnamed namespaces of a half-dozen name must
# differ; a source whose names are others' as well is compiled ALONE. Core and wire are not united: programs link only
# those of their rooms that they use, and the simulator counts the marks of what it is linked with.
function(kvs_unite target)
  if(KVS_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
    set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    # What g++ 12 wrongly finds where it inlines moved strings: https://gcc.gnu.org/bugzilla/show_bug.cgi?id=105651
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds -Wno-restrict
                           -Wno-stringop-overflow -Wno-stringop-overread>)
  endif()
endfunction()

function(kvs_storey name)
  cmake_parse_arguments(ARG "PURE;UNITED" "" "LOOKS_AT;LIBRARIES;ALONE" ${ARGN})
  set(folder ${PROJECT_SOURCE_DIR}/src/${name})
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cc)
  file(GLOB headers CONFIGURE_DEPENDS ${folder}/*.h)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(_test|/main[^/]*)\\.cc$")

  if(sources)
    add_library(kvs_${name} STATIC ${sources})
    set(scope PUBLIC)
    if(ARG_PURE)
      target_compile_options(kvs_${name} PRIVATE -fno-exceptions)
    else() # Waits for the world more than it computes: not worth optimising for sanitizers.
      target_compile_options(kvs_${name} PRIVATE $<$<CONFIG:Asan>:-O0>)
    endif()
    kvs_precompile(kvs_${name})
    if(ARG_UNITED)
      list(TRANSFORM ARG_ALONE PREPEND ${folder}/)
      kvs_unite(kvs_${name} ${ARG_ALONE})
    endif()
  else()
    add_library(kvs_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(kvs_${name} ${scope} ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(kvs_${name} ${scope} kvs_options ${ARG_LIBRARIES})
  foreach(lower ${ARG_LOOKS_AT})
    target_link_libraries(kvs_${name} ${scope} kvs_${lower})
  endforeach()
  if(headers)
    target_sources(kvs_${name} ${scope} FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/src
                   FILES ${headers})
    # The target all_verify_interface_header_sets compiles each header alone.
    set_target_properties(kvs_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  endif()

  if(BUILD_TESTING AND tests)
    if(KVS_SIM_BUILD)
      list(APPEND tests ${PROJECT_SOURCE_DIR}/tests/support/mutant_environment.cc
           ${PROJECT_SOURCE_DIR}/tests/support/probe_report.cc)
    endif()
    add_executable(kvs_${name}_test ${tests})
    target_link_libraries(kvs_${name}_test PRIVATE kvs_${name} GTest::gmock GTest::gtest_main)
    target_include_directories(kvs_${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    # Run once for each time they are compiled: what they test is optimised, they are not.
    target_compile_options(kvs_${name}_test PRIVATE $<$<CONFIG:Test,Asan>:-O0>)
    kvs_precompile(kvs_${name}_test <gmock/gmock.h> <gtest/gtest.h>)
    target_compile_definitions(kvs_${name}_test PRIVATE
                               KVS_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data")
    add_test(NAME unit.${name} COMMAND kvs_${name}_test --gtest_brief=1)
    set_tests_properties(unit.${name} PROPERTIES TIMEOUT 600)
  endif()
endfunction()

# A program from src/STOREY/main*.cc.
function(kvs_program name storey)
  file(GLOB mains CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${storey}/main*.cc)
  if(mains)
    add_executable(${name} ${mains})
    target_link_libraries(${name} PRIVATE kvs_${storey})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
  endif()
endfunction()
