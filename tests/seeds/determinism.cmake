# Runs the same seeds in two processes and compares the hashes of all that happened.
#   cmake -DSIMULATOR=kvs-sim [-DSECOND_SIMULATOR=the same by another compiler] -P determinism.cmake

if(NOT SECOND_SIMULATOR)
  set(SECOND_SIMULATOR ${SIMULATOR})
endif()
foreach(seeds "--seeds;1..300" "--cluster;--seeds;1..200")
  execute_process(COMMAND ${SIMULATOR} ${seeds} --hash OUTPUT_VARIABLE first
                  COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${SECOND_SIMULATOR} ${seeds} --hash OUTPUT_VARIABLE second
                  COMMAND_ERROR_IS_FATAL ANY)
  foreach(output first second)
    # How much was simulated in a CPU-minute is no part of what happened.
    string(REGEX REPLACE "[^\n]*a CPU-minute[^\n]*\n" "" ${output} "${${output}}")
  endforeach()
  if(NOT first MATCHES "hash [0-9a-f]+" OR NOT first STREQUAL second)
    message(FATAL_ERROR "two runs of the same seeds differ:\n${first}${second}")
  endif()
endforeach()
