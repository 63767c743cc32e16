"""Fields that settings classes, sites, engines and Makers of version 1 had, by stored name: what its keys hashed."""

from __future__ import annotations

from collections.abc import Mapping

FIELDS: Mapping[str, str] = {
    "AllHopsMaker": "engine repeats fields_V_per_m fields name",
    "AnisotropyMaker": "engine lebedev_order plane plane_points use_symmetry name",
    "AseCalculatorEngine": (
        "fmax_eV_per_A cell_fmax_eV_per_A stress_limit_eV_per_A3 max_steps band_settings band_method "
        "band_start born_charges field_V_per_A calculator calculator_options functional"
    ),
    "AseEngine": (
        "fmax_eV_per_A cell_fmax_eV_per_A stress_limit_eV_per_A3 max_steps band_settings band_method band_start"
    ),
    "BandSettings": (
        "images_per_hump fmax_eV_per_A relax_fmax_eV_per_A max_steps spring_eV_per_A2 climb_below_eV_per_A "
        "same_state_A max_splits check_saddles saddle_radius_A check_reverse"
    ),
    "BindingMaker": "engine cells method seed name",
    "ChargedVacanciesMaker": "engine repeats only charges dielectric source name",
    "ChgnetEngine": (
        "fmax_eV_per_A cell_fmax_eV_per_A stress_limit_eV_per_A3 max_steps band_settings band_method "
        "band_start born_charges field_V_per_A threads weights"
    ),
    "CollinearDensityMaker": (
        "name input_set_generator write_input_set_kwargs copy_vasp_kwargs run_vasp_kwargs task_document_kwargs "
        "stop_children_kwargs write_additional_data settings"
    ),
    "Compensation": "label charge_e element sublattice count valence moment_muB total_moment_muB",
    "CompetingPhasesMaker": "engine elements_engine molecules_keep_their_box name",
    "DefectComplex": "label members sites multiplicity longest_A",
    "DefectStart": "label kind",
    "DefectVibrationsMaker": "engine displacement_A name",
    "DielectricTensorMaker": (
        "name input_set_generator write_input_set_kwargs copy_vasp_kwargs run_vasp_kwargs task_document_kwargs "
        "stop_children_kwargs write_additional_data settings"
    ),
    "DirectionMaker": (
        "name input_set_generator write_input_set_kwargs copy_vasp_kwargs run_vasp_kwargs task_document_kwargs "
        "stop_children_kwargs write_additional_data settings how direction start"
    ),
    "Engine": "",
    "FerricParameters": (
        "b2_per_cm reference_distance_A b2_exponent a_octahedron_per_cm a_tetrahedron_per_cm exchange_eV "
        "ligand_cutoff_A"
    ),
    "FieldMaker": "engine fields_V_per_m relaxed breakdown_V_per_m gap_eV charges temperature_K attempt_Hz name",
    "FieldRequest": "magnitudes_V_per_m along statements relaxed breakdown_V_per_m charges",
    "FourStateMaker": "engine vector_D symmetric name",
    "FrozenExchangeMaker": "engine reference name",
    "GpawEngine": (
        "fmax_eV_per_A cell_fmax_eV_per_A stress_limit_eV_per_A3 max_steps band_settings band_method "
        "band_start dft born_charges scratch self_consistent_spin_orbit measured_cells dipoles"
    ),
    "GpawSettings": (
        "functional hubbard_U_eV cutoff_eV k_spacing_per_A k_mesh smearing_eV energy_eV density_e "
        "eigenstates_eV2 empty_eV bands max_iterations charge"
    ),
    "Hop": (
        "ion from_sublattice vacancy initial final intermediates intermediate_labels mover displacement_A "
        "vacancy_position multiplicity relations relation_matrices"
    ),
    "HostReference": "entries cells",
    "IonEngine": (
        "fmax_eV_per_A cell_fmax_eV_per_A stress_limit_eV_per_A3 max_steps band_settings band_method "
        "band_start born_charges field_V_per_A"
    ),
    "LigandFieldParameters": (
        "racah_B_eV racah_C_eV e_sigma_eV e_pi_eV reference_distance_A distance_exponent ligand_cutoff_A "
        "zeta_eV exchange_eV r2_a0_squared shielding n_states"
    ),
    "LocalEngine": (
        "fmax_eV_per_A cell_fmax_eV_per_A stress_limit_eV_per_A3 max_steps band_settings band_method "
        "band_start potential_name accuracy single_ions radius_A temperature_K field_V_per_A charge_mode"
    ),
    "MLEngine": (
        "fmax_eV_per_A cell_fmax_eV_per_A stress_limit_eV_per_A3 max_steps band_settings band_method "
        "band_start born_charges field_V_per_A threads"
    ),
    "MagneticRelaxMaker": (
        "name input_set_generator write_input_set_kwargs copy_vasp_kwargs run_vasp_kwargs task_document_kwargs "
        "stop_children_kwargs write_additional_data settings cell occupation_matrices"
    ),
    "MagneticStaticMaker": (
        "name input_set_generator write_input_set_kwargs copy_vasp_kwargs run_vasp_kwargs task_document_kwargs "
        "stop_children_kwargs write_additional_data settings extra occupation_matrices"
    ),
    "MagnetoionicStudyMaker": (
        "engine repeats lebedev_order fields_V_per_m fields is_quick stages vacancies starts vacancy_maps "
        "vibrating_radius_A declared name"
    ),
    "MigrationMaker": "engine repeats fields_V_per_A fields name",
    "PartnerPair": "ion right left axis distances_A bend_deg multiplicity relations relation_matrices moment_signs",
    "PointDefect": "element sublattice substitute valence",
    "PolarisationMaker": (
        "name input_set_generator write_input_set_kwargs copy_vasp_kwargs run_vasp_kwargs task_document_kwargs "
        "stop_children_kwargs write_additional_data settings born"
    ),
    "SegmentMaker": (
        "name input_set_generator write_input_set_kwargs copy_vasp_kwargs run_vasp_kwargs task_document_kwargs "
        "stop_children_kwargs write_additional_data kpoints_kludge settings band from_densities"
    ),
    "SevenNetEngine": (
        "fmax_eV_per_A cell_fmax_eV_per_A stress_limit_eV_per_A3 max_steps band_settings band_method "
        "band_start born_charges field_V_per_A threads weights"
    ),
    "SingleIonParameters": "cobalt ferrous ferric",
    "SpinOrbitSettings": (
        "self_consistent starts constrain_eV rwigs_A occupation_matrices max_tilt_degrees odd_limit_meV"
    ),
    "SurrogateSettings": (
        "images max_calls doubt_eV agreement_eV across depth_eV gap trust reach most_points bend_eV "
        "drop_eV_per_A lengths stiffnesses"
    ),
    "VacancyFormationMaker": "engine repeats starts only name",
    "VacancySite": (
        "label element sublattice index multiplicity cobalt_neighbours collinear_cobalt_pairs charge_states "
        "nearest_mover_A"
    ),
    "VaspBandSettings": (
        "images_per_hump climb residual_eV_per_A spring_eV_per_A2 max_steps same_state_A ranks field_V_per_A gap_eV"
    ),
    "VaspCommands": "standard noncollinear band max_errors poll_s potcar_spec",
    "VaspEngine": "dft commands path anisotropy dipoles electronic_starts occupation_matrices",
    "VaspFieldMaker": (
        "name input_set_generator write_input_set_kwargs copy_vasp_kwargs run_vasp_kwargs task_document_kwargs "
        "stop_children_kwargs write_additional_data settings field_V_per_A relax occupation_matrices"
    ),
    "VaspSettings": (
        "functional hubbard_U_eV hubbard_fitted_for encut_eV kpoint_spacing_per_A kpoint_mesh sigma_eV "
        "ediff_eV ediff_relax_eV ediff_spin_orbit_eV force_eV_per_A max_ionic_steps max_electronic_steps "
        "real_space_projection ncore kpar efield_pead_sign"
    ),
    "VibrationsMaker": "engine radius_A displacement_A force_limit_eV_per_A name",
    "Void": "kind position multiplicity anion_A cation_A",
}
