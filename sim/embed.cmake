# Puts text files into a library, so that the program that links it needs nothing beside itself.
#
#   wigwag_embed(wigwag_sim page_files report/page.html report/page.css)
#
# defines `std::span<const Embedded> page_files()` (sim/embedded.hpp): the files in that order, by their
# names without folders. A file may hold 60,000 bytes: compilers promise 65,536 for a string.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  function(wigwag_embed target function)
    set(made ${CMAKE_CURRENT_BINARY_DIR}/${function}.cpp)
    set(files ${ARGN})
    list(TRANSFORM files PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
    string(REPLACE ";" "|" joined "${files}")
    add_custom_command(OUTPUT ${made} DEPENDS ${files} ${CMAKE_CURRENT_FUNCTION_LIST_FILE} VERBATIM COMMENT "Embedding ${function}"
      COMMAND ${CMAKE_COMMAND} -DFUNCTION=${function} "-DFILES=${joined}" -DMADE=${made} -P ${CMAKE_CURRENT_FUNCTION_LIST_FILE})
    target_sources(${target} PRIVATE ${made})
  endfunction()
  return()
endif()

# The second half runs while building, as a script.
string(REPLACE "|" ";" files "${FILES}")
set(entries "")
foreach(file IN LISTS files)
  file(SIZE ${file} size)
  if(size GREATER 60000)
    message(FATAL_ERROR "${file} has ${size} bytes, and a string may have 60,000: split the file")
  endif()
  file(READ ${file} text)
  string(FIND "${text}" ")embedded\"" end)
  if(NOT end EQUAL -1)
    message(FATAL_ERROR "${file} contains )embedded\", with which its string in C++ would end: write it differently")
  endif()
  get_filename_component(name ${file} NAME)
  string(APPEND entries "      {\"${name}\", R\"embedded(${text})embedded\"},\n")
endforeach()
file(WRITE ${MADE} "#include \"sim/embedded.hpp\"

namespace wigwag::sim {

std::span<const Embedded> ${FUNCTION}() {
  static constexpr Embedded files[] = {
${entries}  };
  return files;
}

}  // namespace wigwag::sim
")
